import type { RedisFacts } from "@tributary/shared/contracts/status";
import { answerOf, type RedisConnection } from "./redis-client.ts";

/** From INFO alone: a managed server may forbid CONFIG. @throws TributaryError UNAVAILABLE */
export async function readRedisFacts(redis: RedisConnection): Promise<RedisFacts> {
  return redisFactsOf(await answerOf(redis.info()));
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
