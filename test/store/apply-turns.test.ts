import type { redisRecords } from "@tributary/online-store/adapters/redis-records";
import { type ApplyContext, applyChunks } from "@tributary/online-store/handlers/apply-chunks";
import { createMetrics } from "@tributary/online-store/metrics";
import type { Headers } from "@tributary/shared/messaging/contract";
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

it("lets others have their turn while a large batch is decoded and merged", async () => {
  const metrics = createMetrics(createLogger({ name: "test", level: "silent" }));
  const context = {
    catalog: { current: rowsCatalog, version: async () => rowsCatalog },
    incarnation: 1,
    records: recordsInMemory(),
    progress: { addPending: async () => undefined, liftHolds: async () => undefined },
    erasedAt: () => undefined,
    counters: metrics.lanes.batch,
    outage: { current: undefined, began: (why: string) => expect.fail(why), ended: () => undefined },
    opened: Promise.resolve(),
  } as unknown as ApplyContext;
  const batch = applyRows({ rowsPerChunk: 500, rounds: 1 })
    .next("batch", 2)
    .map((chunk, i) => ({
      ...encodedChunk(chunk),
      ...{ headers: {} as Headers, stream: "TRIB_ROWS_BATCH", sequence: i + 1, timestampMs: 1, deliveries: 1 },
    }));
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
  expect(metrics.lanes.batch.rows).toBe(batch.length * 500);
  // One turn for each of the 64 chunks on any machine that takes 2 ms for it; a fast one takes several chunks in a turn.
  expect(turns).toBeGreaterThan(4);
});
