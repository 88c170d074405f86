import { TributaryError } from "@tributary/shared/contracts/errors";
import { readRedisAddress } from "./redis-address.ts";
import { answerOf, checkEviction, openRedis, type RedisConnection, type RedisOptions } from "./redis-client.ts";
import { RedisCluster } from "./redis-cluster.ts";

/** One server, or the masters of a cluster: the same keys, scripts and promises on both. */
export type RedisServers = RedisConnection | RedisCluster;

/**
 * Connects to what REDIS_URL names. Whether that is a cluster the server itself says (`cluster_enabled`), so nobody can call it
 * by the wrong name; several hosts are nodes of one cluster, of which the first that answers is asked.
 * @throws TributaryError UNAVAILABLE; BAD_CONFIG for a password that is refused, or servers that would forget records
 */
export async function openRedisServers(options: RedisOptions): Promise<RedisServers> {
  const address = readRedisAddress(options.url);
  const first = await firstOf(address.urls, options);
  const isCluster = /^cluster_enabled:1/m.test(await answerOf(first.info("cluster")));
  if (!isCluster && address.urls.length === 1) return checked(first, [first]);
  try {
    if (!isCluster) throw badConfig("names several servers, and what answers is no cluster");
    if (address.hasDatabase) throw badConfig("names a database by number, which a cluster does not have");
    const cluster = await RedisCluster.open(first, { ...options, address });
    return await checked(cluster, mastersOf(cluster));
  } finally {
    first.disconnect();
  }
}

async function checked<T extends RedisServers>(servers: T, masters: readonly RedisConnection[]): Promise<T> {
  try {
    await Promise.all(masters.map(checkEviction));
    return servers;
  } catch (error) {
    servers.disconnect();
    throw error;
  }
}

async function firstOf(urls: readonly string[], options: RedisOptions): Promise<RedisConnection> {
  const startMsMax = (options.startMsMax ?? 10_000) / urls.length;
  let cause: unknown;
  for (const url of urls) {
    try {
      return await openRedis({ ...options, url, startMsMax });
    } catch (error) {
      if (error instanceof TributaryError && error.code === "BAD_CONFIG") throw error;
      cause = error;
    }
  }
  throw cause;
}

function badConfig(why: string): TributaryError {
  return new TributaryError("BAD_CONFIG", `REDIS_URL ${why}`);
}

/** The answer of whoever holds the key. @throws TributaryError UNAVAILABLE */
export function ask<T>(
  servers: RedisServers,
  key: string,
  command: (server: RedisConnection) => Promise<T>,
): Promise<T> {
  return answerOf(isCluster(servers) ? servers.ask(key, ({ redis }) => command(redis)) : command(servers));
}

/** All that hold keys; the one server where there is no cluster. */
export function mastersOf(servers: RedisServers): readonly RedisConnection[] {
  return isCluster(servers) ? servers.nodes.map(({ redis }) => redis) : [servers];
}

/** One of them does: what the others hold cannot be read, but the rest can. @throws TributaryError UNAVAILABLE */
export async function anyAnswers(servers: RedisServers): Promise<void> {
  const settled = await Promise.allSettled(mastersOf(servers).map((server) => answerOf(server.ping())));
  const failed = settled.find((one) => one.status === "rejected");
  if (failed !== undefined && settled.every((one) => one.status === "rejected")) throw failed.reason;
}

/** Which partitions one script may touch together: all of them on one server, on a cluster each by itself. */
export function partitionsTogether(servers: RedisServers, partitions: number): readonly (readonly number[])[] {
  const all = Array.from({ length: partitions }, (_, partition) => partition);
  return isCluster(servers) ? all.map((partition) => [partition]) : [all];
}

export function isCluster(servers: RedisServers): servers is RedisCluster {
  return servers instanceof RedisCluster;
}
