import { readFileSync } from "node:fs";
import type { RedisConnection } from "@tributary/online-store/adapters/redis-client";
import { fillRecords, usedBytes } from "./read-fill.ts";
import { grid } from "./read-grid.ts";
import type { Measures } from "./report.ts";

/** 5 views × 10 int64 features of each entity. */
const views = 5;
const cellsOfEntity = views * 10;
/** What the values take packed side by side: 8 bytes an int64, without keys, versions or event times. */
const packedBytes = 8;

/** Into an empty Redis, which is empty again afterwards. */
export async function measureMemory(redis: RedisConnection, entities: number): Promise<Measures> {
  const before = await usedBytes(redis);
  const count = await fillRecords(redis, grid({ entities, views }));
  const perCell = ((await usedBytes(redis)) - before) / (count * cellsOfEntity);
  await redis.flushall();
  return {
    bench: "read",
    case: `memory of ${views} views x 10 int64`,
    entities: count,
    redisBytesPerCell: perCell,
    packedBytesPerCell: packedBytes,
    ratioToPacked: perCell / packedBytes,
  };
}

/** Resident memory of a process, MiB; NaN where the system does not tell it in /proc. */
export function residentMib(pid: number | undefined): number {
  try {
    const kib = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return Number(kib) / 1_024;
  } catch {
    return Number.NaN;
  }
}
