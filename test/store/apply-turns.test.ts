import type { redisRecords } from "@tributary/online-store/adapters/redis-records";
import { admitChunk } from "@tributary/online-store/handlers/admit-chunk";
import { type ApplyContext, applyChunks } from "@tributary/online-store/handlers/apply-chunks";
import { applyWrites } from "@tributary/online-store/handlers/apply-writes";
import { createMetrics } from "@tributary/online-store/metrics";
import type { RowsChunk } from "@tributary/shared/contracts/chunk";
import type { DeliveredMessage, Headers } from "@tributary/shared/messaging/contract";
import { Turns } from "@tributary/shared/runtime/event-loop-turns";
import { createLogger } from "@tributary/shared/runtime/logger";
import { expect, it } from "vitest";
import { applyRows, encodedChunk, rowsCatalog } from "../../bench/apply-rows.ts";

/** Redis that answers at once, in the same turn: what remains is what the process itself has to do. */
function recordsInMemory(): ApplyContext["records"] {
  const stored = new Map<string, Buffer>();
  const known = new Map<number, unknown>();
  const shapes = {
    find: (id: number) => known.get(id),
    learn: async () => undefined,
    register: async () => undefined,
  } as unknown as ReturnType<typeof redisRecords>["shapes"];
  return {
    shapes,
    read: async (keys) => keys.map((key) => stored.get(key) ?? null),
    replace: async (replacements) => {
      for (const { key, bytes, shapes: named } of replacements) {
        for (const shape of named) known.set(shape.id, shape);
        if (bytes !== null) stored.set(key, bytes);
      }
      return [];
    },
  };
}

function applyContext(): { readonly context: ApplyContext; readonly rows: () => number } {
  const { batch } = createMetrics(createLogger({ name: "test", level: "silent" })).lanes;
  const context = {
    catalog: { current: rowsCatalog, version: async () => rowsCatalog },
    incarnation: 1,
    records: recordsInMemory(),
    progress: { addPending: async () => undefined, liftHolds: async () => undefined },
    erasedAt: () => undefined,
    counters: batch,
    outage: { current: undefined, began: (why: string) => expect.fail(why), ended: () => undefined },
    opened: Promise.resolve(),
  } as unknown as ApplyContext;
  return { context, rows: () => batch.rows };
}

/** Of so many times 32 chunks with 500 rows each. */
function batchOf(rounds: number): DeliveredMessage[] {
  return applyRows({ rowsPerChunk: 500, rounds: 1 })
    .next("batch", rounds)
    .map((chunk, i) => ({
      ...encodedChunk(chunk),
      ...{ headers: {}, stream: "TRIB_ROWS_BATCH", sequence: i + 1, timestampMs: 1, deliveries: 1 },
    }));
}

/** How often the work might have been cut. */
class CountedTurns extends Turns {
  count = 0;

  override async next(): Promise<void> {
    this.count += 1;
  }
}

it("may be cut within a chunk that is checked, and within records that are merged", async () => {
  const [chunk] = applyRows({ rowsPerChunk: 500, rounds: 1 }).next("batch", 1);
  const message = {
    ...encodedChunk(chunk as RowsChunk),
    ...{ headers: {} as Headers, stream: "TRIB_ROWS_BATCH", sequence: 1, timestampMs: 1, deliveries: 1 },
  };
  const admitting = new CountedTurns(0);
  const catalog = { current: rowsCatalog } as unknown as ApplyContext["catalog"];
  const admitted = await admitChunk({ catalog, incarnation: 1 }, message, admitting);
  if (admitted.kind !== "rows") return expect.fail(`it is ${admitted.kind}`);
  expect(admitted.writes).toHaveLength(500);
  expect(admitting.count).toBeGreaterThanOrEqual(500 / 16);
  const merging = new CountedTurns(0);
  await applyWrites(recordsInMemory(), admitted.writes, { turns: merging });
  expect(merging.count).toBeGreaterThanOrEqual(500 / 16);
});

it("holds the rows of two chunks at a time, not of a whole batch", async () => {
  let chunks = 0;
  const catalog = {
    get current() {
      chunks += 1;
      return rowsCatalog;
    },
  };
  const records = recordsInMemory();
  const chunksWhenRead: number[] = [];
  const read = (keys: readonly string[]) => {
    chunksWhenRead.push(chunks);
    return records.read(keys);
  };
  const batch = batchOf(1);
  const context = { ...applyContext().context, catalog, records: { ...records, read } } as unknown as ApplyContext;
  expect((await applyChunks(context, batch)).every(({ kind }) => kind === "ack")).toBe(true);
  // Two slices are on their way at a time, and each is of half a chunk.
  expect(chunksWhenRead.map((seen, slice) => seen - slice / 2).every((ahead) => ahead <= 2)).toBe(true);
  expect(chunksWhenRead).toHaveLength(batch.length * 2);
});

it("lets others have their turn while a large batch is decoded and merged", async () => {
  const { context, rows } = applyContext();
  const batch = batchOf(2);
  let turns = 0;
  let isDone = false;
  const watch = () => {
    turns += 1;
    if (!isDone) setImmediate(watch);
  };
  setImmediate(watch);
  const outcomes = await applyChunks(context, batch);
  isDone = true;
  expect(outcomes.every(({ kind }) => kind === "ack")).toBe(true);
  expect(rows()).toBe(batch.length * 500);
  // One turn for each of the 64 chunks on any machine that takes 1 ms for it; a fast one takes several chunks in a turn.
  expect(turns).toBeGreaterThan(4);
});
