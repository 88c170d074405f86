import type { Version } from "@tributary/shared/contracts/version";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mergeRecord, readCells, type SectionWrite } from "./cell-merge.ts";
import { stateOfRecord } from "./check-erasure.ts";
import { eraseRecord } from "./erase-record.ts";
import { ErasureBook } from "./erasure-book.ts";
import { decodeRecord, type EntityRecord, emptyRecord, encodeRecord } from "./record.ts";
import { shapeOf } from "./shape.ts";
import { recordKey, viewRecordKey } from "./store-keys.ts";

const at = (eventTime: number, sequence = 1): Version => ({ eventTime, incarnation: 1, sequence, minor: 0 });
const erasure = (eventTime: number): Version => ({ eventTime, incarnation: 0, sequence: 0, minor: 0 });
const write = (view: string, feature: string, version: Version): SectionWrite => ({
  shape: shapeOf(view, 1, [feature]),
  cells: [{ feature, version, value: version.eventTime }],
});
const bytesOf = (record: EntityRecord) => encodeRecord(record, Buffer.alloc(8)).toString("hex");

function apply(record: EntityRecord, step: SectionWrite | Version): EntityRecord {
  return ("cells" in step ? mergeRecord(record, [step]) : eraseRecord(record, step)) ?? record;
}

const step = fc.oneof(
  fc
    .record({ view: fc.constantFrom("v", "w"), feature: fc.constantFrom("a", "b"), eventTime: fc.nat(9) })
    .map(({ view, feature, eventTime }) => write(view, feature, at(eventTime))),
  fc.nat(9).map(erasure),
);

describe("an erasure", () => {
  it("takes what is of its version or before, of every view, and leaves what is later", () => {
    const writes = [write("v", "a", at(5)), write("v", "b", at(7)), write("w", "a", at(4))];
    const record = mergeRecord(undefined, writes) ?? emptyRecord;
    const erased = eraseRecord(record, erasure(6)) ?? emptyRecord;
    const left = [...erased.sections.values()].flatMap((section) =>
      readCells(section).map((cell) => [section.shape.view, cell.feature, cell.version.eventTime]),
    );
    expect(left).toEqual([["v", "b", 7]]);
    expect(stateOfRecord(record, erasure(6))).toBe("residual");
    expect(stateOfRecord(erased, erasure(6))).toBe("rewritten");
  });

  it("stands in a record that did not exist, and survives being written to Redis", () => {
    const erased = eraseRecord(undefined, erasure(6)) ?? emptyRecord;
    const read = decodeRecord(encodeRecord(erased, Buffer.alloc(8)), { find: () => undefined });
    expect(read).toEqual({ erasure: erasure(6), sections: new Map() });
    expect([stateOfRecord(read, erasure(6)), stateOfRecord(undefined, erasure(6))]).toEqual(["erased", "absent"]);
    expect(mergeRecord(read, [write("v", "a", at(5))])).toBeUndefined();
  });

  it("that is not later than the record's changes nothing", () => {
    const erased = eraseRecord(undefined, erasure(6)) ?? emptyRecord;
    expect(eraseRecord(erased, erasure(6))).toBeUndefined();
    expect(eraseRecord(erased, erasure(5))).toBeUndefined();
  });

  it("and writes give the same bytes in any order, any number of times", () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 12 }).chain((steps) =>
          fc.record({
            first: fc.constant(steps),
            second: fc.shuffledSubarray([...steps, ...steps], { minLength: steps.length * 2 }),
          }),
        ),
        ({ first, second }) => {
          const [left, right] = [first, second].map((steps) => steps.reduce(apply, emptyRecord));
          // Which shape names the cells depends on what was written before the erasure: the cells do not.
          const cells = (record: EntityRecord | undefined) =>
            [...(record?.sections ?? [])].map(([id, section]) => [id, readCells(section)] as const).sort();
          expect(cells(right)).toEqual(cells(left));
          expect(right?.erasure).toEqual(left?.erasure);
          if (cells(left).length === 0) expect(bytesOf(right ?? emptyRecord)).toBe(bytesOf(left ?? emptyRecord));
        },
      ),
    );
  });
});

describe("the book of erasures", () => {
  const entry = (id: string, key: string, eventTime: number) =>
    ({ format: 1, id, entity: "airport", key, eventTime, requestedAtMs: 0 }) as const;

  it("knows the latest erasure of every record of an entity key, and nothing of others", () => {
    const book = new ErasureBook();
    expect([
      book.add(entry("one", "ORD", 5)),
      book.add(entry("two", "ORD", 4)),
      book.add(entry("one", "ORD", 5)),
    ]).toEqual([true, true, false]);
    const own = { name: "essay", entity: "airport", ownRecord: true };
    expect(book.erasedAt(recordKey(3, "airport", "ORD"))).toEqual(erasure(5));
    expect(book.erasedAt(viewRecordKey(3, own, "ORD"))).toEqual(erasure(5));
    expect(book.erasedAt(recordKey(3, "airport", "ORDX"))).toBeUndefined();
    expect(book.erasedAt(recordKey(3, "route", "ORD"))).toBeUndefined();
  });
});
