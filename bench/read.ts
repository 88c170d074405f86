import type { BenchContext } from "./benchmark.ts";
import { type Mesh, withMesh } from "./mesh.ts";
import { processCpuMs } from "./process-cpu.ts";
import { type Profiler, profilerInto } from "./profile.ts";
import { type CacheCase, cacheCases, measureCache } from "./read-cache.ts";
import type { Dataset, ReadCase } from "./read-dataset.ts";
import { fanout } from "./read-fanout.ts";
import { benchRedis, fillRecords } from "./read-fill.ts";
import { grid } from "./read-grid.ts";
import { measureMemory, residentMib } from "./read-memory.ts";
import { type Driver, startDriver } from "./read-process.ts";
import type { ReadJob, ReadResult } from "./read-target.ts";
import type { Measures } from "./report.ts";
import { seededRandom } from "./seeded-random.ts";

const entitiesDefault = { full: 10_000, quick: 200 };
const secondsOf = {
  full: { warmUpSeconds: 1, warmUpReads: 200, seconds: 4 },
  quick: { warmUpSeconds: 0.1, warmUpReads: 1, seconds: 0.2 },
};
/** Of the first load of a case: for some seconds of a new kind of read the store's code is still being compiled. */
const firstWarmUpSeconds = 3;
/** Of an open loop: of fewer, the p95 would be one of a few. */
const openReadsMin = 200;
const store = "online-store";
/** In flight over NATS, when `--profile` is given: enough to keep the store busy, not so many that they wait. */
const profiledWorkers = 8;
const poolSize = { full: 64, quick: 4 };
const views = 25;
const memoryCase = "memory";
/** Quick: one small and one large read of the grid. */
const quickCases = ["1x50", "50x250", "fanout", memoryCase];

/** Those of the read cache are measured only when they are named: they are of a store with another setting. */
const namesOfCaches = Object.keys(cacheCases) as CacheCase[];
export const caseNames = [
  memoryCase,
  ...datasetsOf(1, 1).flatMap(({ cases }) => cases.map(({ name }) => name)),
  ...namesOfCaches,
];

export async function run(context: BenchContext): Promise<void> {
  const entities = context.entities ?? entitiesDefault[context.quick ? "quick" : "full"];
  const wanted = context.cases ?? (context.quick ? quickCases : undefined);
  const isWanted = (name: string) => wanted === undefined || wanted.includes(name);
  for (const dataset of datasetsOf(entities, context.quick ? 50 : 1_000)) {
    const cases = dataset.cases.filter(({ name }) => isWanted(name));
    const withMemory = dataset.name === "grid" && isWanted(memoryCase);
    if (cases.length > 0 || withMemory) await measure({ ...dataset, cases }, context, withMemory ? entities : 0);
  }
  for (const name of namesOfCaches) if (wanted?.includes(name)) await measureCache(name, context, entities);
}

function datasetsOf(entities: number, candidates: number): readonly Dataset[] {
  return [grid({ entities, views }), fanout({ items: entities, candidates })];
}

/** @param memoryOf entities of the memory case; 0 = without it */
async function measure(dataset: Dataset, context: BenchContext, memoryOf: number): Promise<void> {
  context.note(`${dataset.name}: starting servers and the store …`);
  const { profile, note } = context;
  const profiler = profile === undefined ? undefined : profilerInto(profile, note);
  const options = { need: ["nats", "redis"], services: [store], catalog: dataset.catalog } as const;
  await withMesh({ ...options, ...profiler }, async (mesh) => {
    const redis = await benchRedis(mesh.servers.redis.url);
    try {
      if (memoryOf > 0) context.tell(await measureMemory(redis, memoryOf));
      if (dataset.cases.length === 0) return;
      context.note(`${dataset.name}: ${await fillRecords(redis, dataset)} records written`);
    } finally {
      redis.disconnect();
    }
    await measureReads({ mesh, profiler }, dataset, context);
  });
}

interface Drivers {
  readonly floor: Driver;
  /** Under a profile of the store, where one is wanted. */
  readonly profiled: (work: () => Promise<ReadResult>) => Promise<ReadResult>;
  /** Processor time of the store since its start. */
  readonly storeCpuMs: () => number;
  readonly transports: readonly (readonly [transport: string, driver: Driver])[];
}

interface Profiled {
  readonly mesh: Mesh;
  readonly profiler: Profiler | undefined;
}

async function measureReads({ mesh, profiler }: Profiled, dataset: Dataset, context: BenchContext): Promise<void> {
  const floor = startDriver({ kind: "floor", url: mesh.servers.redis.url, catalog: dataset.catalog });
  const nats = startDriver({ kind: "nats", url: mesh.servers.nats.url("client") });
  const http = startDriver({ kind: "http", url: mesh.services.httpUrl(store) });
  const drivers: Drivers = {
    floor,
    profiled: (work) => profiler?.during(mesh.services.pid(store), work) ?? work(),
    storeCpuMs: () => processCpuMs(mesh.services.pid(store)),
    transports: [
      ["nats", nats],
      ["http", http],
    ],
  };
  try {
    const [first] = dataset.cases;
    if (first === undefined) return;
    await tellNoise(drivers, first, { context, when: "start" });
    for (const one of dataset.cases) await measureCase(drivers, one, context);
    await tellNoise(drivers, first, { context, when: "end" });
    const storeMib = residentMib(mesh.services.pid(store));
    context.tell({ bench: "read", case: `${dataset.name}: resident memory of the store`, residentMib: storeMib });
  } finally {
    await Promise.all([floor, nats, http].map((driver) => driver.stop()));
  }
}

/** The same floor at the start and the end: how far apart they are is what the machine's noise is worth. */
async function tellNoise(
  { floor }: Drivers,
  one: ReadCase,
  { context, when }: { readonly context: BenchContext; readonly when: "start" | "end" },
): Promise<void> {
  const workers = one.workers.at(-1) ?? 1;
  const result = await floor.run(jobOf(one, { kind: "closed", workers }, context));
  context.tell(measuresOf(one, { transport: `floor, ${when}`, mode: `closed${workers}` }, result));
}

/** The floor of each load just before it, so that whatever else the machine does falls on both. */
async function measureCase(
  { floor, transports, profiled, storeCpuMs }: Drivers,
  one: ReadCase,
  context: BenchContext,
): Promise<void> {
  for (const workers of one.workers) {
    const job = closedJob(one, workers, context);
    const least = await floor.run(job);
    for (const [transport, driver] of transports) {
      const isProfiled = transport === "nats" && workers === profiledWorkers;
      const before = storeCpuMs();
      const result = await (isProfiled ? profiled(() => driver.run(job)) : driver.run(job));
      const cpuMs = (storeCpuMs() - before) / result.answered;
      context.tell({
        ...measuresOf(one, { transport, mode: `closed${workers}` }, result),
        ...over(least, result, cpuMs),
      });
    }
  }
  // A quick run shows that it works, on any machine: the rates that need a whole one are left out.
  for (const perSecond of one.perSecond.slice(0, context.quick ? 1 : undefined)) {
    for (const [transport, driver] of transports) {
      const job = jobOf(one, { kind: "open", perSecond }, context);
      const seconds = context.quick ? job.seconds : Math.max(job.seconds, openReadsMin / perSecond);
      const result = await driver.run({ ...job, seconds });
      context.tell(measuresOf(one, { transport, mode: `open${perSecond}` }, result));
    }
  }
}

/** @param cpuMs the store's a read; told where the system tells it */
function over(floor: ReadResult, { perSecond }: ReadResult, cpuMs: number): Readonly<Record<string, number>> {
  const cpu = { storeCpuMs: cpuMs, floorCpuMs: floor.cpuMs, cpuRatio: cpuMs / floor.cpuMs };
  const rates = { floorRps: floor.perSecond, ratioToFloor: perSecond / floor.perSecond };
  return Number.isNaN(cpuMs) ? rates : { ...rates, ...cpu };
}

function closedJob(one: ReadCase, workers: number, context: BenchContext): ReadJob {
  const job = jobOf(one, { kind: "closed", workers }, context);
  return workers === one.workers[0] && !context.quick ? { ...job, warmUpSeconds: firstWarmUpSeconds } : job;
}

function jobOf({ service, rows }: ReadCase, load: ReadJob["load"], { quick }: BenchContext): ReadJob {
  const random = seededRandom(3);
  const kind = quick ? "quick" : "full";
  const pool = Array.from({ length: poolSize[kind] }, () => rows(random));
  return { service, pool, load, ...secondsOf[kind] };
}

function measuresOf(
  { name }: ReadCase,
  how: { readonly transport: string; readonly mode: string },
  { perSecond, p50, p95, p99, errors }: ReadResult,
): Measures {
  return { bench: "read", case: name, ...how, rps: perSecond, p50Ms: p50, p95Ms: p95, p99Ms: p99, errors };
}
