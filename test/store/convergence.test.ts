import { knowingShapes, redisShapes } from "@tributary/online-store/adapters/redis-shapes";
import { readCells } from "@tributary/online-store/core/cell-merge";
import { checkHeader } from "@tributary/online-store/core/chunk-header";
import { type RecordWrite, rowsOf } from "@tributary/online-store/core/chunk-rows";
import { decodeRecord } from "@tributary/online-store/core/record";
import { type RowsChunk, tombstone } from "@tributary/shared/contracts/chunk";
import { partitionOf } from "@tributary/shared/contracts/entity-key";
import { subjects } from "@tributary/shared/contracts/subjects";
import type { Cell } from "@tributary/shared/merge/cell";
import { mergeCells } from "@tributary/shared/merge/merge-cells";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { catalogVersion } from "./definitions.ts";
import { chunkOf, partitions, type Row, type StoreRig, startStoreRig } from "./store-rig.ts";

let rig: StoreRig;
beforeAll(async () => {
  rig = await startStoreRig({ services: ["online-store", "online-store-2"], environment: { APPLY_BATCH_MAX: "3" } });
});
afterAll(() => rig?.stop());
beforeEach(() => rig.printLogsOnFailure());

/** Few keys of few partitions and few versions, so that writers collide and cells tie. */
const airports = Array.from({ length: 2 }, (_, i) => `A${i}`);
const value = fc.oneof(fc.constantFrom(null, 0, 0.5, 1, tombstone, undefined));
const reason = fc.oneof(fc.constantFrom("fog", "ice", null, tombstone, undefined));
const stampArbitrary = fc.record({
  incarnation: fc.constant(1),
  sequence: fc.integer({ min: 0, max: 3 }),
  minor: fc.integer({ min: 0, max: 1 }),
});
const eventTime = fc.integer({ min: 1_000, max: 1_004 });

const chunkArbitrary = fc.oneof(
  chunksOf("congestion", fc.record({ score: value, reason })),
  chunksOf(
    "airport_now",
    fc.record({
      departures_15m: fc.constantFrom(0, 1, null, undefined),
      delayMean_15m: fc.constantFrom(0.5, null, undefined),
    }),
    true,
  ),
);

function chunksOf(view: string, features: fc.Arbitrary<Row["features"]>, scheduled = false): fc.Arbitrary<RowsChunk> {
  const row = fc.record({ eventTime, features, stamp: stampArbitrary });
  const schedule = fc.constantFrom(null, { untilMs: 9_000, steps: [{ atMs: 2_000, changes: [[0, 4]] as const }] });
  return fc
    .record({
      key: fc.constantFrom(...airports),
      rows: fc.array(fc.tuple(row, schedule), { minLength: 1, maxLength: 4 }),
    })
    .map(({ key, rows }) =>
      chunkOf(
        view,
        rows.map(([one]) => ({ ...one, key, features: complete(view, one.features) })),
        scheduled ? { schedules: rows.map(([, one]) => one) } : {},
      ),
    );
}

/** Every feature named, so that columns do not depend on what is absent. */
function complete(view: string, features: Row["features"]): Row["features"] {
  return view === "congestion"
    ? { score: features.score, reason: features.reason }
    : { departures_15m: features.departures_15m, delayMean_15m: features.delayMean_15m };
}

function writesOf(chunk: RowsChunk): RecordWrite[] {
  const catalog = catalogVersion(1);
  const subject = subjects.rows(chunk.lane, chunk.partition, chunk.view);
  const position = { subject, incarnation: 0, sequence: 0, timestampMs: 0 };
  return rowsOf(chunk, checkHeader(chunk, subject, catalog), { catalog, position });
}

/** What the store must hold: the greatest of each cell. */
function oracle(chunks: readonly RowsChunk[]): Map<string, Cell[]> {
  const expected = new Map<string, Cell[]>();
  for (const { key, shape, cells } of chunks.flatMap(writesOf)) {
    const id = `${key} ${shape.section}`;
    const held = expected.get(id) ?? [];
    const merged = mergeCells(held, cells) ?? held;
    if (merged.length > 0) expected.set(id, merged);
  }
  return expected;
}

async function stored(): Promise<Map<string, Cell[]>> {
  const found = new Map<string, Cell[]>();
  const shapes = redisShapes(rig.redis);
  for (const airport of airports) {
    const key = `{p${String(partitionOf(airport, partitions)).padStart(2, "0")}}:airport:${airport}`;
    const bytes = await rig.redis.getBuffer(key);
    if (bytes === null) continue;
    const { sections } = await knowingShapes(shapes, [key], () => decodeRecord(bytes, shapes));
    for (const [section, own] of sections) found.set(`${key} ${section}`, readCells(own));
  }
  return found;
}

const sorted = (cells: Map<string, Cell[]>) =>
  new Map([...cells].map(([id, own]) => [id, own.toSorted((a, b) => (a.feature < b.feature ? -1 : 1))]));

/** Records that one store found changed by the other between its read and its write. */
async function conflicts(): Promise<number> {
  const texts = await Promise.all(
    rig.services.names.map(async (name) => (await fetch(`${rig.services.httpUrl(name)}/metrics`)).text()),
  );
  const counts = texts.join("\n").matchAll(/^tributary_store_merge_conflicts_total\{.*\} (\d+)$/gm);
  return [...counts].reduce((sum, match) => sum + Number(match[1]), 0);
}

async function nonces(): Promise<string[]> {
  const keys = (await rig.redis.keys("*:airport:*")).toSorted();
  return Promise.all(keys.map(async (key) => (await rig.redis.getrangeBuffer(key, 1, 8)).toString("hex")));
}

describe("two stores that apply the same chunks together, in any order and several times", () => {
  it("end with the greatest of every cell, and a redelivery writes nothing", async () => {
    const [chunks] = fc.sample(fc.array(chunkArbitrary, { minLength: 600, maxLength: 600 }), { numRuns: 1 }) as [
      RowsChunk[],
    ];
    const [shuffled = []] = fc.sample(fc.shuffledSubarray(chunks, { minLength: chunks.length }), { numRuns: 1 });
    await Promise.all(shuffled.map((chunk) => rig.publish(chunk)));
    await rig.settled();
    expect(sorted(await stored())).toEqual(sorted(oracle(chunks)));

    expect(await conflicts(), "two writers met").toBeGreaterThan(0);

    const before = await nonces();
    await Promise.all(chunks.toReversed().map((chunk) => rig.publish(chunk)));
    await rig.settled();
    expect(await nonces()).toEqual(before);
    const { lanes } = await rig.status();
    expect(lanes.reduce((sum, lane) => sum + lane.counters.rejected, 0)).toBe(0);
  });
});
