import { encodeChunk } from "@tributary/shared/codec/chunk-codec";
import { type ChunkCell, tombstone } from "@tributary/shared/contracts/chunk";
import { limits } from "@tributary/shared/contracts/limits";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createDeltaChunker, type DeltaChunk, type DeltaRow } from "./delta-chunks.ts";
import type { RunManifest } from "./run-manifest.ts";

const file = { path: "", rows: 0, bytes: 0, sha256: "" };
const manifest: RunManifest = {
  format: 1,
  view: "prices",
  viewVersion: 3,
  catalogVersion: 9,
  run: 17,
  intervalEndMs: 900_000,
  partitions: 8,
  features: [
    { name: "low", type: "float64" },
    { name: "note", type: "json" },
  ],
  snapshot: file,
  delta: file,
  confirm: [],
  confirmed: [],
};

function chunksOf(rows: readonly DeltaRow[]): DeltaChunk[] {
  const chunker = createDeltaChunker(manifest, "batch-runner-1");
  return [...rows.map((row) => chunker.add(row)), chunker.finish()].filter((chunk) => chunk !== undefined);
}

const cell: fc.Arbitrary<ChunkCell> = fc.oneof(
  fc.constantFrom(undefined, null, tombstone, true),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.string({ maxLength: 2_000 }),
  fc.array(fc.integer(), { maxLength: 200 }),
);
const rows = fc
  .array(fc.tuple(fc.nat({ max: 7 }), cell, cell), { maxLength: 300 })
  .map((list) => list.sort(([a], [b]) => a - b))
  .map((list) => list.map(([partition, ...cells], i): DeltaRow => ({ partition, key: `key-${i}`, cells })));

describe("the chunks of a delta", () => {
  it("hold every row once, in order, one partition each, and fit", () => {
    fc.assert(
      fc.property(rows, (input) => {
        const chunks = chunksOf(input);
        expect(chunks.flatMap(({ chunk }) => chunk.keys)).toEqual(input.map(({ key }) => key));
        expect(chunks.map(({ ordinal }) => ordinal)).toEqual(chunks.map((_, i) => i));
        let next = 0;
        for (const { chunk, firstRow } of chunks) {
          expect(firstRow).toBe(next);
          for (const [i, row] of input.slice(next, next + chunk.keys.length).entries()) {
            expect(row.partition).toBe(chunk.partition);
            const cells = manifest.features.map(
              (feature) => chunk.columns.find((c) => c.feature === feature.name)?.cells[i],
            );
            expect(cells).toEqual(row.cells);
          }
          next += chunk.keys.length;
          // 2 KiB of header and names at most.
          expect(encodeChunk(chunk).length).toBeLessThanOrEqual(limits.chunkBytesTarget + 2_048);
        }
      }),
      { verbose: true },
    );
  });

  it("carry the run's version and their place in it", () => {
    const [first] = chunksOf([{ partition: 2, key: "a", cells: [1, undefined] }]);
    expect(first?.chunk).toMatchObject({
      lane: "batch",
      viewVersion: 3,
      catalogVersion: 9,
      run: { number: 17, ordinal: 0 },
      eventTimes: [900_000],
      stamps: { incarnations: [0], sequences: [17], minors: [0] },
      columns: [{ feature: "low", cells: [1] }],
    });
  });

  it("end at the row limit", () => {
    const many = Array.from({ length: limits.chunkRowsMax + 1 }, (_, i) => ({
      partition: 0,
      key: `${i}`,
      cells: [1, null],
    }));
    expect(chunksOf(many).map(({ chunk }) => chunk.keys.length)).toEqual([limits.chunkRowsMax, 1]);
  });
});
