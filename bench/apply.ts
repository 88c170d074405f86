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
const floorRounds = 3;
const readsPerSecond = 50;
const readSeconds = { full: 10, quick: 0.3 };
/** How long the store may take for what was published, ms. */
const patienceMs = 120_000;
const pollMs = 10;
/** That wait for the store while it is read from, so that it never runs dry. */
const roundsAhead = 4;

/** What a lane's measurement needs. */
interface Bench {
  readonly mesh: Mesh;
  readonly rows: ApplyRows;
  readonly connection: Connection;
  readonly reader: Driver;
  readonly context: BenchContext;
}

export const caseNames: readonly string[] = lanes;

export async function run(context: BenchContext): Promise<void> {
  const wanted = context.cases ?? caseNames;
  const rows = applyRows(sizes[context.quick ? "quick" : "full"]);
  const measured = lanes.filter((one) => wanted.includes(one));
  for (const { note, services, environments, measures } of Object.values(arrangements)) {
    context.note(`starting servers and ${note} …`);
    const options = { need: ["nats", "redis"], services, environments, catalog: rowsCatalog } as const;
    await withMesh(options, async (mesh) => {
      const connection = await openConnection({ url: mesh.servers.nats.url("admin"), name: "bench-apply" });
      const reader = startDriver({ kind: "nats", url: mesh.servers.nats.url("client") });
      try {
        for (const lane of measured) {
          const bench = { mesh, rows, connection, reader, context };
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
  const [beside, pressed] = await Promise.all([applyFor(bench, lane, job.seconds), reader.run(job)]);
  const floorAfter = await floorOf(bench, lane);
  tellRows(context, { lane, mode, perSecond: beside, floor: floorAfter, idle, pressed });
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
  const { services } = bench.mesh;
  const chunks = bench.rows.next(lane, rounds);
  const before = await appliedOf(bench.connection, lane);
  services.pause("online-store");
  try {
    await publishAll(bench.connection, lane, chunks);
  } finally {
    services.resume("online-store");
  }
  return rateOf(bench.connection, lane, { before, chunks, begun: performance.now() });
}

/**
 * Publishes while the store applies, round after round for so long, always a few ahead of it: rows a second from the first chunk until
 * the last is applied. Publishing is much faster than applying and would otherwise take the processor from what is measured.
 */
async function applyFor(bench: Bench, lane: Lane, seconds: number): Promise<number> {
  const before = await appliedOf(bench.connection, lane);
  const begun = performance.now();
  const chunks: RowsChunk[] = [];
  let rows = before.rows;
  do {
    const round = bench.rows.next(lane, 1);
    const rowsOfRound = rowsOf(round);
    chunks.push(...round);
    rows += rowsOfRound;
    await publishAll(bench.connection, lane, round);
    await until(bench.connection, lane, rows - roundsAhead * rowsOfRound);
  } while (performance.now() - begun < seconds * 1_000);
  return rateOf(bench.connection, lane, { before, chunks, begun });
}

async function publishAll(connection: Connection, lane: Lane, chunks: readonly RowsChunk[]): Promise<void> {
  const publisher = createPublisher(connection, { stream: laneStream[lane] });
  await Promise.all(chunks.map((chunk) => publisher.publish(encodedChunk(chunk))));
  await publisher.close();
}

interface Published {
  /** The store's counters before. */
  readonly before: LaneFloor["counters"];
  readonly chunks: readonly RowsChunk[];
  readonly begun: number;
}

async function rateOf(connection: Connection, lane: Lane, { before, chunks, begun }: Published): Promise<number> {
  const rows = rowsOf(chunks);
  const { rejected } = await until(connection, lane, before.rows + rows);
  if (rejected > before.rejected) throw new Error("the store set a chunk aside");
  return rows / ((performance.now() - begun) / 1_000);
}

async function until(connection: Connection, lane: Lane, rows: number): Promise<LaneFloor["counters"]> {
  const deadline = performance.now() + patienceMs;
  while (performance.now() < deadline) {
    const applied = await appliedOf(connection, lane);
    if (applied.rows >= rows) return applied;
    await pause(pollMs);
  }
  throw new Error(`the store did not apply what the ${lane} lane holds within ${patienceMs} ms`);
}

function rowsOf(chunks: readonly RowsChunk[]): number {
  return chunks.reduce((sum, chunk) => sum + chunk.keys.length, 0);
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
