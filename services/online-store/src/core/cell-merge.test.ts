import { type FeatureValue, tombstone } from "@tributary/shared/contracts/chunk";
import { ByteWriter } from "@tributary/shared/merge/byte-writer";
import { type Cell, compareCells } from "@tributary/shared/merge/cell";
import { writeValue } from "@tributary/shared/merge/cell-value";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cellArbitrary } from "../testing/random-cells.ts";
import { mergeRecord, readCells, type SectionWrite } from "./cell-merge.ts";
import { type EntityRecord, encodeRecord } from "./record.ts";
import { type Shape, shapeOf } from "./shape.ts";

const nonce = Buffer.alloc(8);
const names = ["a", "b", "c", "d", "delayMean_15m"];
const shape = shapeOf("congestion", 1, names);
const { section } = shape;
const shapes = [shape, shapeOf("congestion", 2, names), shapeOf("route", 1, names)];
const anyCells: fc.Arbitrary<SectionWrite> = fc.record({
  shape: fc.constantFrom(...shapes),
  cells: fc.array(cellArbitrary, { maxLength: 5 }),
});
/** A view written whole, or nearly: as rows are that bring every feature under one version. */
const wholeRowOf = (...of: Shape[]): fc.Arbitrary<SectionWrite> =>
  fc
    .record({
      shape: fc.constantFrom(...of),
      cells: fc.array(cellArbitrary, { minLength: 5, maxLength: 5 }),
      isScheduled: fc.boolean(),
      swap: fc.option(fc.nat({ max: 4 }), { nil: undefined }),
      order: fc.constantFrom("the shape's", "turned", "one twice"),
    })
    .map(({ shape: of, cells, isScheduled, swap, order }) => {
      const { version } = cells[0] as Cell;
      const whole = of.features.map((feature, i): Cell => {
        const { value, schedule } = cells[i] as Cell;
        return { feature, version, value, ...(isScheduled && schedule && { schedule }) };
      });
      if (swap !== undefined && swap < whole.length)
        whole[swap] = { ...(whole[swap] as Cell), version: (cells[swap] as Cell).version };
      if (order === "turned") whole.push(whole.shift() as Cell);
      if (order === "one twice") whole[1] = { ...(whole[1] as Cell), feature: of.features[0] as string };
      return { shape: of, cells: whole };
    });
const writeArbitrary = fc.oneof(anyCells, wholeRowOf(...shapes));
const writesArbitrary = fc.array(writeArbitrary, { maxLength: 12 });

function mergeAll(batches: readonly (readonly SectionWrite[])[], start?: EntityRecord): EntityRecord | undefined {
  let record = start;
  for (const batch of batches) record = mergeRecord(record, batch) ?? record;
  return record;
}

function bytesOf(record: EntityRecord | undefined): string {
  return record === undefined ? "" : encodeRecord(record, nonce).toString("hex");
}

function cell(value: Cell["value"], version: Partial<Cell["version"]> = {}, feature = "a"): Cell {
  return { feature, value, version: { eventTime: 0, incarnation: 0, sequence: 0, minor: 0, ...version } };
}

function merged(...cells: Cell[]): Cell[] {
  return readCells(mergeAll(cells.map((one) => [{ shape, cells: [one] }]))?.sections.get(section));
}

describe("the merge", () => {
  it("gives the same bytes for any order, any grouping into batches and any repetition of the same writes", () => {
    const shuffled = writesArbitrary.chain((writes) =>
      fc.tuple(
        fc.constant(writes),
        fc.shuffledSubarray([...writes, ...writes], { minLength: writes.length * 2 }),
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 24, maxLength: 24 }),
      ),
    );
    fc.assert(
      fc.property(shuffled, ([writes, again, sizes]) => {
        const batches: SectionWrite[][] = [];
        const rest = [...again];
        for (const size of sizes) batches.push(rest.splice(0, size));
        expect(bytesOf(mergeAll([...batches, rest]))).toBe(bytesOf(mergeAll([writes])));
      }),
      { numRuns: 500 },
    );
  });

  it("is associative: merging what two others merged gives the same as merging all", () => {
    fc.assert(
      fc.property(writesArbitrary, writesArbitrary, (left, right) => {
        const other = mergeAll([right]);
        const asWrites = [...(other?.sections.values() ?? [])].map((stored) => ({
          shape: stored.shape,
          cells: readCells(stored),
        }));
        expect(bytesOf(mergeAll([left, asWrites]))).toBe(bytesOf(mergeAll([left, right])));
      }),
    );
  });

  it("writes nothing when everything was there already", () => {
    fc.assert(
      fc.property(writesArbitrary, (writes) => {
        expect(mergeRecord(mergeAll([writes]), writes)).toBeUndefined();
      }),
    );
  });

  it("agrees with picking the greatest of each cell by hand, also when a view's features became more", () => {
    const fewerNames = wholeRowOf(shapeOf("congestion", 1, ["a", "b"]));
    fc.assert(
      fc.property(fc.array(fc.oneof(writeArbitrary, fewerNames), { maxLength: 12 }), (writes) => {
        const record = mergeAll(writes.map((write) => [write]));
        for (const id of new Set(writes.map((write) => write.shape.section))) {
          const all = writes.filter((write) => write.shape.section === id).flatMap((write) => write.cells);
          const found = new Map(readCells(record?.sections.get(id)).map((one) => [one.feature, one]));
          expect(found).toEqual(oracle(all));
        }
      }),
      { numRuns: 500 },
    );
  });

  it("orders cells totally", () => {
    fc.assert(
      fc.property(cellArbitrary, cellArbitrary, cellArbitrary, (a, b, c) => {
        expect(Math.sign(compareCells(a, b))).toBe(-Math.sign(compareCells(b, a)) + 0);
        const [low, middle, high] = [a, b, c].sort(compareCells) as [Cell, Cell, Cell];
        expect(compareCells(low, middle)).toBeLessThanOrEqual(0);
        expect(compareCells(low, high)).toBeLessThanOrEqual(0);
      }),
    );
  });

  it("prefers event time, then incarnation, then sequence, then the minor part", () => {
    const newest = cell(1, { eventTime: 2 });
    expect(merged(cell(2, { eventTime: 1, incarnation: 9, sequence: 9, minor: 9 }), newest)).toEqual([newest]);
    const later = cell(1, { incarnation: 2 });
    expect(merged(later, cell(2, { incarnation: 1, sequence: 9, minor: 9 }))).toEqual([later]);
    const next = cell(1, { sequence: 2 });
    expect(merged(next, cell(2, { sequence: 1, minor: 9 }))).toEqual([next]);
  });

  it("lets a tombstone beat any value of its own version, and a newer value beat the tombstone", () => {
    fc.assert(
      fc.property(cellArbitrary, (one) => {
        const gone: Cell = { feature: one.feature, version: one.version, value: tombstone };
        expect(merged(one, gone).at(0)?.value).toBe(tombstone);
        expect(merged(gone, one).at(0)?.value).toBe(tombstone);
      }),
    );
    expect(merged(cell(tombstone), cell(5, { minor: 1 })).at(0)?.value).toBe(5);
  });

  it("keeps the cells that a partial row does not carry", () => {
    const [old, other, fresh] = [cell(1, {}, "a"), cell(2, {}, "b"), cell(3, { eventTime: 1 }, "b")];
    const record = mergeAll([[{ shape, cells: [old, other] }], [{ shape, cells: [fresh] }]]);
    expect(readCells(record?.sections.get(section))).toEqual([fresh, old]);
  });

  it("takes a schedule with its cell, never one from another version", () => {
    const schedule = { untilMs: 9, changes: [{ atMs: 5, value: 0 }] };
    const scheduled = { ...cell(1, { minor: 1 }), schedule };
    expect(merged(scheduled, cell(2))).toEqual([scheduled]);
    expect(merged(scheduled, cell(2, { minor: 2 }))).toEqual([cell(2, { minor: 2 })]);
  });

  it("drops what an erasure covers and takes what is newer", () => {
    const erased: EntityRecord = {
      erasure: { eventTime: 5, incarnation: 0, sequence: 0, minor: 0 },
      sections: new Map(),
    };
    expect(mergeRecord(erased, [{ shape, cells: [cell(1, { eventTime: 5 })] }])).toBeUndefined();
    expect(mergeRecord(erased, [{ shape, cells: [cell(1, { eventTime: 6 })] }])?.erasure).toEqual(erased.erasure);
  });
});

/** For every feature the greatest cell, spelled out with nothing of the merge. */
function oracle(cells: readonly Cell[]): Map<string, Cell> {
  const best = new Map<string, Cell>();
  for (const one of cells) {
    const holder = best.get(one.feature);
    if (holder === undefined || rank(one) > rank(holder)) best.set(one.feature, one);
  }
  return best;
}

/** A string that sorts like the order of V1; the tombstone's byte is the greatest. */
function rank({ version, value, schedule }: Cell): string {
  const pad = (part: number) => String(part + 100).padStart(20, "0");
  const { eventTime, incarnation, sequence, minor } = version;
  const later = schedule?.changes.flatMap((change) => [float64(change.atMs), bytes(change.value)]) ?? [];
  const contents = [bytes(value), ...(schedule ? [float64(schedule.untilMs), ...later] : [])];
  return [eventTime, incarnation, sequence, minor].map(pad).join() + contents.join("");
}

function bytes(value: FeatureValue | typeof tombstone): string {
  const writer = new ByteWriter();
  writeValue(writer, value);
  return writer.copy().toString("hex");
}

function float64(value: number): string {
  const buffer = Buffer.alloc(8);
  buffer.writeDoubleLE(value);
  return buffer.toString("hex");
}
