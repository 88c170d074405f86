import { mergeRecord } from "@tributary/online-store/core/cell-merge";
import { emptyRecord, encodeRecord, nonceBytes } from "@tributary/online-store/core/record";
import { bytesOf } from "@tributary/online-store/core/record-cache";
import { recordKey } from "@tributary/online-store/core/store-keys";
import type { BenchContext } from "./benchmark.ts";
import { type Mesh, withMesh } from "./mesh.ts";
import { processCpuMs } from "./process-cpu.ts";
import type { Dataset } from "./read-dataset.ts";
import { benchRedis, fillRecords } from "./read-fill.ts";
import { grid } from "./read-grid.ts";
import { type Driver, startDriver } from "./read-process.ts";
import type { ReadJob, ReadResult } from "./read-target.ts";
import { seededRandom, zipf } from "./seeded-random.ts";

/**
 * Reads of a store without a read cache and of one whose cache takes a quarter of the records, by how keys are drawn. No two requests
 * of a run are the same but by chance, as a pool of a few would make every cache look good.
 */
export const cacheCases = { "cache-zipf": zipf, "cache-uniform": uniform } as const;
export type CacheCase = keyof typeof cacheCases;

const store = "online-store";
const heldShare = 0.25;
const views = 25;
const service = "grid_50";
const rowsOf = [1, 50];
const workersOf = [1, 8];
/** Requests by how many rows they have. */
const poolSize = { full: { one: 32_768, many: 4_096 }, quick: { one: 1_024, many: 64 } };
const secondsOf = { full: { warmUpSeconds: 2, seconds: 4 }, quick: { warmUpSeconds: 0.1, seconds: 0.2 } };

export async function measureCache(name: CacheCase, context: BenchContext, entities: number): Promise<void> {
  const dataset = grid({ entities, views });
  for (const bytes of [0, Math.ceil(heldShare * cacheBytesOf(dataset))]) {
    context.note(`${name}: starting servers and a store ${bytes === 0 ? "without" : "with"} a read cache …`);
    const environment = { READ_CACHE_BYTES: String(bytes) };
    await withMesh(
      { need: ["nats", "redis"], services: [store], catalog: dataset.catalog, environment },
      async (mesh) => {
        const redis = await benchRedis(mesh.servers.redis.url);
        await fillRecords(redis, dataset).finally(() => redis.disconnect());
        await measureMesh({ name, mesh, dataset, bytes }, context, entities);
      },
    );
  }
}

/** What all records together are counted as. */
function cacheBytesOf({ records }: Dataset): number {
  let bytes = 0;
  for (const { entity, key, writes } of records()) {
    const record = encodeRecord(mergeRecord(undefined, writes) ?? emptyRecord, Buffer.alloc(nonceBytes));
    bytes += bytesOf(recordKey(0, entity, key), record);
  }
  return bytes;
}

interface Measured {
  readonly name: CacheCase;
  readonly mesh: Mesh;
  readonly dataset: Dataset;
  readonly bytes: number;
}

async function measureMesh(measured: Measured, context: BenchContext, entities: number): Promise<void> {
  const { mesh, name, dataset } = measured;
  const floor = startDriver({ kind: "floor", url: mesh.servers.redis.url, catalog: dataset.catalog });
  const nats = startDriver({ kind: "nats", url: mesh.servers.nats.url("client") });
  try {
    for (const rows of rowsOf) {
      const kind = context.quick ? "quick" : "full";
      const random = seededRandom(5);
      const draw = cacheCases[name](entities, random);
      const request = () => Array.from({ length: rows }, () => ({ id: draw() }));
      const pool = Array.from({ length: poolSize[kind][rows === 1 ? "one" : "many"] }, request);
      for (const workers of workersOf) {
        const job: ReadJob = { service, pool, load: { kind: "closed", workers }, ...secondsOf[kind] };
        await measureLoad({ ...measured, floor, nats }, context, { job, rows, workers });
      }
    }
  } finally {
    await Promise.all([floor, nats].map((driver) => driver.stop()));
  }
}

async function measureLoad(
  { name, mesh, bytes, floor, nats }: Measured & { readonly floor: Driver; readonly nats: Driver },
  { tell }: BenchContext,
  { job, rows, workers }: { readonly job: ReadJob; readonly rows: number; readonly workers: number },
): Promise<void> {
  const least = await floor.run(job);
  // The cache is as full as it gets before anything is counted.
  await nats.run({ ...job, seconds: job.warmUpSeconds });
  const cpuMs = () => processCpuMs(mesh.services.pid(store));
  const [countsBefore, cpuBefore] = [await countsOf(mesh), cpuMs()];
  const result = await nats.run(job);
  const storeCpuMs = (cpuMs() - cpuBefore) / result.answered;
  const counts = await countsOf(mesh);
  const hits = counts.hits - countsBefore.hits;
  const asked = hits + counts.misses - countsBefore.misses;
  tell({
    ...{ bench: "read", case: name, cache: bytes === 0 ? "off" : "on", rows, mode: `closed${workers}` },
    ...timesOf(result),
    ...{ floorRps: least.perSecond, ratioToFloor: result.perSecond / least.perSecond },
    ...(!Number.isNaN(storeCpuMs) && { storeCpuMs }),
    ...(bytes > 0 && { hitRatio: hits / asked, cacheBytes: bytes }),
  });
}

function timesOf({ perSecond, p50, p95, p99, errors }: ReadResult) {
  return { rps: perSecond, p50Ms: p50, p95Ms: p95, p99Ms: p99, errors };
}

/** Zeros where there is no cache. */
async function countsOf(mesh: Mesh): Promise<{ readonly hits: number; readonly misses: number }> {
  const text = await (await fetch(`${mesh.services.httpUrl(store)}/metrics`)).text();
  const value = (name: string) =>
    Number(new RegExp(`^tributary_store_read_cache_${name}_total (\\d+)$`, "m").exec(text)?.[1] ?? 0);
  return { hits: value("hits"), misses: value("misses") };
}

function uniform(count: number, random: () => number): () => number {
  return () => Math.floor(random() * count);
}
