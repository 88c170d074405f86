import { type CachedOptions, cachedRecords } from "@tributary/online-store/adapters/redis-cache";
import { openRedis } from "@tributary/online-store/adapters/redis-client";
import { type Records, redisRecords } from "@tributary/online-store/adapters/redis-records";
import { type Tracking, trackReads } from "@tributary/online-store/adapters/redis-tracking";
import { RecordCache } from "@tributary/online-store/core/record-cache";
import { createLogger } from "@tributary/shared/runtime/logger";
import type { Redis } from "ioredis";
import { until } from "../support/until.ts";

export interface CacheOptions {
  readonly url: string;
  readonly bytesMax?: number;
  readonly lagMsMax?: number;
  readonly commandTimeoutMs?: number;
  readonly epoch?: CachedOptions["epoch"];
  /** Once reads have a connection, before the other one is made. */
  readonly beforeTracking?: () => void;
}

/** What reads see through a cache, and the cache itself. */
export interface OpenCache {
  readonly records: Records;
  readonly cache: RecordCache;
  readonly tracking: Tracking;
  readonly reading: Redis;
  /** Of each key the text of its record. */
  read(keys: readonly string[], need?: "latest"): Promise<(string | null)[]>;
  /** Waits until it is used. */
  on(): Promise<unknown>;
  stop(): Promise<void>;
}

/** No proof runs out, and none is asked for, in a test that does not want it. */
const never = 600_000;
const logger = createLogger({ name: "test", level: "silent" });

/** Connections are named `cache` and `cache-changes`. */
export async function openCache(options: CacheOptions): Promise<OpenCache> {
  const { url, bytesMax = 10_000_000, lagMsMax = never, commandTimeoutMs = 5_000, epoch = () => "epoch" } = options;
  const reading = await openRedis({ url, name: "cache", logger, commandTimeoutMs });
  options.beforeTracking?.();
  const cache = new RecordCache(bytesMax);
  const tracking = await trackReads({ reading, lagMsMax, listener: cache, logger }).catch((error: unknown) => {
    reading.disconnect();
    throw error;
  });
  const records = cachedRecords(redisRecords(reading), { cache, tracking, epoch, bypassed: () => undefined });
  return {
    ...{ records, cache, tracking, reading },
    read: async (keys, need) => (await records.read(keys, need)).map((record) => record?.toString() ?? null),
    on: () => until(() => tracking.isCurrent(), { what: "reads are tracked" }),
    stop: async () => {
      await tracking.stop();
      reading.disconnect();
    },
  };
}

/** Ends the connections of this name from the server's side, once there are some. */
export async function killClients(redis: Redis, name: string): Promise<void> {
  const ids = await until(async () => {
    const clients = String(await redis.client("LIST")).split("\n");
    const named = clients.filter((line) => line.includes(` name=${name} `));
    return named.length > 0 && named.map((line) => /^id=(\d+)/.exec(line)?.[1] ?? "");
  });
  for (const id of ids) await redis.client("KILL", "ID", id).catch(() => undefined); // gone by itself
}
