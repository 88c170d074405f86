import { randomBytes } from "node:crypto";
import { openRedis, type RedisConnection } from "@tributary/online-store/adapters/redis-client";
import { redisRecords } from "@tributary/online-store/adapters/redis-records";
import { mergeRecord } from "@tributary/online-store/core/cell-merge";
import { encodeRecord, nonceBytes } from "@tributary/online-store/core/record";
import { recordKey } from "@tributary/online-store/core/store-keys";
import { partitionOf } from "@tributary/shared/contracts/entity-key";
import { createLogger } from "@tributary/shared/runtime/logger";
import type { BenchRecord, Dataset } from "./read-dataset.ts";

const recordsAtOnce = 2_000;

export function benchRedis(url: string): Promise<RedisConnection> {
  const logger = createLogger({ name: "bench", level: "silent" });
  return openRedis({ url, name: "bench", logger, commandTimeoutMs: 30_000 });
}

/** Writes the records as the store would, with its own codec, but not through the lanes. Returns how many. */
export async function fillRecords(redis: RedisConnection, { catalog, records }: Dataset): Promise<number> {
  const store = redisRecords(redis);
  let [batch, count]: [BenchRecord[], number] = [[], 0];
  const flush = async () => {
    const conflicts = await store.replace(batch.map((record) => replacementOf(record, catalog.partitions)));
    if (conflicts.length > 0) throw new Error("a record was there already");
    count += batch.length;
    batch = [];
  };
  for (const record of records()) {
    batch.push(record);
    if (batch.length === recordsAtOnce) await flush();
  }
  await flush();
  return count;
}

function replacementOf({ entity, key, writes }: BenchRecord, partitions: number) {
  const merged = mergeRecord(undefined, writes);
  if (merged === undefined) throw new Error("a record without cells");
  const bytes = encodeRecord(merged, randomBytes(nonceBytes));
  const shapes = writes.map((write) => write.shape);
  return { key: recordKey(partitionOf(key, partitions), entity, key), previous: null, bytes, shapes };
}

/** Bytes that Redis has allocated. */
export async function usedBytes(redis: RedisConnection): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await redis.info("memory"))?.[1]);
}
