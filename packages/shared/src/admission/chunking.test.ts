import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeChunk, encodeChunk } from "../codec/chunk-codec.ts";
import type { FeatureValue } from "../contracts/chunk.ts";
import { ordinaryClock } from "../contracts/clock.ts";
import { partitionOf } from "../contracts/entity-key.ts";
import { limits } from "../contracts/limits.ts";
import { admitRows, type WritePlan } from "./admission.ts";
import { chunkRows } from "./chunking.ts";

const features = [
  { name: "score", type: "float64" },
  { name: "notes", type: "list", of: "float64" },
  { name: "reason", type: "string" },
] as const;
const plan: WritePlan = {
  view: {
    lane: "direct",
    name: "congestion",
    version: 2,
    entity: "airport",
    features: [...features],
    freshnessMs: 1,
    ttlMs: null,
    producers: [],
  },
  catalogVersion: 3,
  entity: { name: "airport", keys: [{ name: "code", type: "string" }] },
  features: new Map(features.map((feature) => [feature.name, feature])),
  partitions: 8,
};
const origin = { producer: "direct-gateway-1", clock: ordinaryClock };

const rowArbitrary = fc
  .record(
    {
      score: fc.double({ noNaN: true, noDefaultInfinity: true }),
      notes: fc.array(fc.integer(), { maxLength: 50 }),
      reason: fc.string({ maxLength: 200 }),
    },
    { requiredKeys: ["score"] },
  )
  .chain((cells) => fc.integer({ min: 0, max: 40 }).map((code) => ({ key: { code: `k${code}` }, features: cells })));

describe("chunking", () => {
  it("carries every admitted row once, in its partition, with its own cells", () => {
    fc.assert(
      fc.property(fc.array(rowArbitrary, { minLength: 1, maxLength: 60 }), (rows) => {
        const { admitted } = admitRows(plan, rows, 0);
        const chunks = chunkRows(plan, admitted, origin);
        const indices = chunks.flatMap(({ rows: carried }) => carried.map((row) => row.index));
        expect([...indices].sort((a, b) => a - b)).toEqual(rows.map((_, i) => i));
        for (const { chunk, rows: carried } of chunks) {
          const decoded = decodeChunk(encodeChunk(chunk));
          if (decoded.kind !== "rows") throw new Error("not rows");
          expect(decoded.keys.every((key) => partitionOf(key, 8) === chunk.partition)).toBe(true);
          carried.forEach((row, at) => {
            const cells = new Map(decoded.columns.map(({ feature, cells }) => [feature, cells[at] as FeatureValue]));
            for (const [name, cell] of cells) expect(cell).toEqual(row.cells.get(name));
            for (const name of row.cells.keys()) expect(cells.has(name)).toBe(true);
          });
        }
      }),
    );
  });

  it("stays below the limit of a chunk, however the values encode", () => {
    const notes = Array.from({ length: 6_000 }, (_, i) => i + 0.5);
    const rows = Array.from({ length: 40 }, () => ({ key: { code: "ORD" }, features: { notes } }));
    const chunks = chunkRows(plan, admitRows(plan, rows, 0).admitted, origin);
    expect(chunks.length).toBeGreaterThan(1);
    for (const { chunk } of chunks) expect(encodeChunk(chunk).length).toBeLessThanOrEqual(limits.chunkBytesMax);
  });

  it("leaves the event time to the broker and names the clock", () => {
    const { admitted } = admitRows(plan, [{ key: { code: "ORD" }, features: { score: 1 } }], 0);
    expect(chunkRows(plan, admitted, origin)[0]?.chunk).toMatchObject({
      eventTimes: [null],
      clock: ordinaryClock,
      lane: "direct",
      viewVersion: 2,
      catalogVersion: 3,
    });
  });

  it("refuses a row that no chunk can hold", () => {
    const notes = Array.from({ length: 100_000 }, () => 1.5);
    const { refused } = admitRows(plan, [{ key: { code: "ORD" }, features: { notes } }], 0);
    expect(refused).toMatchObject([{ code: "LIMIT_EXCEEDED" }]);
  });
});
