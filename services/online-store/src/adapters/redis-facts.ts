import type { RedisFacts, RedisServerFacts } from "@tributary/shared/contracts/status";
import { answerOf, type RedisConnection } from "./redis-client.ts";
import type { RedisCluster } from "./redis-cluster.ts";
import { isCluster, type RedisServers } from "./redis-servers.ts";

/** From INFO alone: a managed server may forbid CONFIG. @throws TributaryError UNAVAILABLE when none answers */
export async function readRedisFacts(redis: RedisServers): Promise<RedisFacts> {
  return isCluster(redis) ? factsOfCluster(await readServers(redis)) : factsOf(redis);
}

async function factsOf(server: RedisConnection): Promise<RedisFacts> {
  return redisFactsOf(await answerOf(server.info()));
}

async function readServers({ nodes }: RedisCluster): Promise<RedisServerFacts[]> {
  const settled = await Promise.allSettled(nodes.map(({ redis }) => factsOf(redis)));
  const failed = settled.find((one) => one.status === "rejected");
  if (failed !== undefined && settled.every((one) => one.status === "rejected")) throw failed.reason;
  return nodes.map(({ address }, i) => {
    const one = settled[i];
    return { address, facts: one?.status === "fulfilled" ? one.value : null };
  });
}

/** Of each fact the worst, so that whoever knows of no cluster sees that something is wrong; each server's own beside it. */
function factsOfCluster(servers: readonly RedisServerFacts[]): RedisFacts {
  const all = servers.flatMap(({ facts }) => facts ?? []);
  const fullest = all.reduce((a, b) => (fullness(b) > fullness(a) ? b : a));
  return {
    ...fullest,
    version: [...new Set(all.map(({ version }) => version))].join(", "),
    maxmemoryPolicy:
      all.map(({ maxmemoryPolicy }) => maxmemoryPolicy).find((policy) => policy !== "noeviction") ?? "noeviction",
    appendOnly: all.every(({ appendOnly }) => appendOnly),
    isDiskFine: all.every(({ isDiskFine }) => isDiskFine),
    servers,
  };
}

/** Of two without a limit the larger is the fuller. */
function fullness({ usedBytes, maxmemoryBytes }: RedisFacts): number {
  return maxmemoryBytes === 0 ? usedBytes / Number.MAX_SAFE_INTEGER : usedBytes / maxmemoryBytes;
}

export function redisFactsOf(info: string): RedisFacts {
  const value = (name: string) => new RegExp(`^${name}:(\\S*)`, "m").exec(info)?.[1] ?? "";
  const appendOnly = value("aof_enabled") === "1";
  return {
    version: value("redis_version"),
    maxmemoryPolicy: value("maxmemory_policy"),
    maxmemoryBytes: Number(value("maxmemory")),
    usedBytes: Number(value("used_memory")),
    appendOnly,
    isDiskFine: value(appendOnly ? "aof_last_write_status" : "rdb_last_bgsave_status") !== "err",
  };
}
