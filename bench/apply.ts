import { setTimeout as pause } from "node:timers/promises";
import { decodePayload, encodePayload } from "@tributary/shared/codec/json-or-msgpack";
import { type Lane, lanes } from "@tributary/shared/contracts/catalog";
import type { RowsChunk } from "@tributary/shared/contracts/chunk";
import type { LaneFloor, StoreStatus } from "@tributary/shared/contracts/status";
import { subjects } from "@tributary/shared/contracts/subjects";
import { laneStream } from "@tributary/shared/contracts/topology";
import { openConnection } from "@tributary/shared/messaging/connection";
import type { Connection } from "@tributary/shared/messaging/contract";
import { createPublisher } from "@tributary/shared/messaging/publisher";
import { request } from "@tributary/shared/messaging/request";
import { applyFloor } from "./apply-floor.ts";
import { type ApplyRows, applyRows, applyService, encodedChunk, rowsCatalog } from "./apply-rows.ts";
import type { BenchContext } from "./benchmark.ts";
import { type Mesh, withMesh } from "./mesh.ts";
import { type Driver, startDriver } from "./read-process.ts";
import type { ReadJob, ReadResult } from "./read-target.ts";
import { seededRandom } from "./seeded-random.ts";

const sizes = {
  full: { rowsPerChunk: 500, rounds: 12 },
  quick: { rowsPerChunk: 20, rounds: 2 },
};
/** A million rows of 32 chunks with 500 each, or more where the reads would outlast them. */
const roundsBeside = { full: 63, quick: 2 };
/** By how much the backlog is to outlast the reads beside it. */
const backlogMargin = 1.5;
const backlogTries = 3;
const floorRounds = 3;
const readsPerSecond = 50;
const readSeconds = { full: 8, quick: 0.3 };
/** How long the store may take for what was published, ms. */
const patienceMs = 120_000;
const pollMs = 10;

/** What a lane's measurement needs. */
interface Bench {
  readonly mesh: Mesh;
  readonly rows: ApplyRows;
  readonly connection: Connection;
  readonly reader: Driver;
  readonly context: BenchContext;
  /** The most rows a second that a lane has come to. */
  readonly rates: Map<Lane, number>;
}

export const caseNames: readonly string[] = lanes;

export async function run(context: BenchContext): Promise<void> {
  const wanted = context.cases ?? caseNames;
  const rows = applyRows(sizes[context.quick ? "quick" : "full"]);
  const measured = lanes.filter((one) => wanted.includes(one));
  const rates = new Map<Lane, number>();
  for (const { note, services, environments, measures } of Object.values(arrangements)) {
    context.note(`starting servers and ${note} …`);
    const options = { need: ["nats", "redis"], services, environments, catalog: rowsCatalog } as const;
    await withMesh(options, async (mesh) => {
      const connection = await openConnection({ url: mesh.servers.nats.url("admin"), name: "bench-apply" });
      const reader = startDriver({ kind: "nats", url: mesh.servers.nats.url("client") });
      try {
        for (const lane of measured) {
          const bench = { mesh, rows, connection, reader, context, rates };
          // Not measured: it writes the records, the others replace their cells.
          await applyBacklog(bench, lane, 1);
          for (const measure of measures) await measure(bench, lane);
        }
      } finally {
        await reader.stop();
        await connection.close();
      }
    });
  }
}

/** One store for everything, or one that writes and another one that reads. */
const arrangements: Readonly<Record<"together" | "apart", Arrangement>> = {
  together: {
    note: "the store",
    services: ["online-store"],
    environments: {},
    measures: [measureAlone, (bench, lane) => measureBeside(bench, lane, `beside ${readsPerSecond} reads/s`)],
  },
  apart: {
    note: "a store that writes and one that reads",
    services: ["online-store", "online-store-2"],
    environments: { "online-store": { STORE_ROLE: "writes" }, "online-store-2": { STORE_ROLE: "reads" } },
    measures: [(bench, lane) => measureBeside(bench, lane, `beside ${readsPerSecond} reads/s of another store`)],
  },
};

interface Arrangement {
  readonly note: string;
  readonly services: readonly string[];
  readonly environments: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly measures: readonly ((bench: Bench, lane: Lane) => Promise<void>)[];
}

async function measureAlone(bench: Bench, lane: Lane): Promise<void> {
  const floor = await floorOf(bench, lane);
  const perSecond = await applyBacklog(bench, lane, bench.rows.rounds);
  tellRows(bench.context, { lane, mode: "alone", perSecond, floor });
}

async function measureBeside(bench: Bench, lane: Lane, mode: string): Promise<void> {
  const { context, reader } = bench;
  const job = readJob(bench);
  const idle = await reader.run(job);
  const { perSecond, pressed } = await readBesideBacklog(bench, lane, job);
  const floor = await floorOf(bench, lane);
  tellRows(context, { lane, mode, perSecond, floor, idle, pressed });
}

interface Told {
  readonly lane: Lane;
  readonly mode: string;
  /** Rows. */
  readonly perSecond: number;
  readonly floor: number;
  readonly idle?: ReadResult;
  readonly pressed?: ReadResult;
}

function tellRows({ tell }: BenchContext, { lane, mode, perSecond, floor, idle, pressed }: Told): void {
  const reads = idle &&
    pressed && { readP99Ms: pressed.p99, idleReadP99Ms: idle.p99, errors: idle.errors + pressed.errors };
  const over = { floorRowsPerSecond: floor, ratioToFloor: perSecond / floor };
  tell({ bench: "apply", case: lane, mode, rowsPerSecond: perSecond, ...over, errors: 0, ...reads });
}

function floorOf({ mesh, rows }: Bench, lane: Lane): Promise<number> {
  return applyFloor(mesh.servers.redis.url, rowsCatalog, rows.next(lane, floorRounds));
}

/**
 * Publishes rounds of chunks while the store is stopped, then lets it go: rows a second from there until the last is applied.
 * What is measured is the store, not who publishes.
 */
async function applyBacklog(bench: Bench, lane: Lane, rounds: number): Promise<number> {
  const { connection, rates } = bench;
  const { before, rows } = await layBacklog(bench, lane, rounds);
  const begun = performance.now();
  await until(connection, lane, before + rows);
  const perSecond = rows / ((performance.now() - begun) / 1_000);
  rates.set(lane, Math.max(perSecond, rates.get(lane) ?? 0));
  return perSecond;
}

/**
 * The same with reads, which are over before the backlog is: rows a second while they lasted. Where the backlog was over first, again
 * with twice as much.
 */
async function readBesideBacklog(
  bench: Bench,
  lane: Lane,
  job: ReadJob,
): Promise<{ readonly perSecond: number; readonly pressed: ReadResult }> {
  const { connection, reader, rows, rates, context } = bench;
  const rowsOfRound = rows.rowsPerChunk * rows.keys.length;
  const outlasting = ((rates.get(lane) ?? 0) * job.seconds * backlogMargin) / rowsOfRound;
  let rounds = context.quick ? roundsBeside.quick : Math.max(roundsBeside.full, Math.ceil(outlasting));
  for (let attempt = 1; attempt <= backlogTries; attempt++) {
    context.note(`${lane}: ${rounds * rowsOfRound} rows and reads beside them …`);
    const backlog = await layBacklog(bench, lane, rounds);
    const begun = performance.now();
    const pressed = await reader.run(job);
    const applied = (await appliedOf(connection, lane)).rows - backlog.before;
    const perSecond = applied / ((performance.now() - begun) / 1_000);
    await until(connection, lane, backlog.before + backlog.rows);
    if (applied < backlog.rows || context.quick) return { perSecond, pressed };
    rounds *= 2;
  }
  throw new Error(`the ${lane} lane's backlog was over before the reads beside it, ${backlogTries} times`);
}

interface Backlog {
  /** Rows that the store had applied before. */
  readonly before: number;
  readonly rows: number;
}

/** Waits to be applied from the moment at which this is done. */
async function layBacklog({ mesh, connection, rows }: Bench, lane: Lane, rounds: number): Promise<Backlog> {
  const before = (await appliedOf(connection, lane)).rows;
  mesh.services.pause("online-store");
  try {
    for (let round = 0; round < rounds; round++) await publishAll(connection, lane, rows.next(lane, 1));
  } finally {
    mesh.services.resume("online-store");
  }
  return { before, rows: rounds * rows.rowsPerChunk * rows.keys.length };
}

async function publishAll(connection: Connection, lane: Lane, chunks: readonly RowsChunk[]): Promise<void> {
  const publisher = createPublisher(connection, { stream: laneStream[lane] });
  await Promise.all(chunks.map((chunk) => publisher.publish(encodedChunk(chunk))));
  await publisher.close();
}

/** @throws Error when the store sets a chunk aside, or takes too long */
async function until(connection: Connection, lane: Lane, rows: number): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (performance.now() < deadline) {
    const applied = await appliedOf(connection, lane);
    if (applied.rejected > 0) throw new Error("the store set a chunk aside");
    if (applied.rows >= rows) return;
    await pause(pollMs);
  }
  throw new Error(`the store did not apply what the ${lane} lane holds within ${patienceMs} ms`);
}

/** Rows that are in Redis, since the store's start. */
async function appliedOf(connection: Connection, lane: Lane): Promise<LaneFloor["counters"]> {
  const answer = await request(connection, subjects.storeStatus, encodePayload({}, "json"));
  const { lanes: all } = decodePayload(answer).value as StoreStatus;
  const counters = all.find((one) => one.lane === lane)?.counters;
  if (counters === undefined) throw new Error(`the store says nothing of the ${lane} lane`);
  return counters;
}

function readJob({ rows, context }: Bench): ReadJob {
  const random = seededRandom(4);
  const keys = rows.keys.flat();
  const drawn = () => ({ id: Number(keys[Math.floor(random() * keys.length)]) });
  const pool = Array.from({ length: 32 }, () => Array.from({ length: 100 }, drawn));
  const seconds = readSeconds[context.quick ? "quick" : "full"];
  return {
    service: applyService,
    pool,
    warmUpSeconds: 0.2,
    seconds,
    load: { kind: "open", perSecond: readsPerSecond },
  };
}
