import { type FeatureValue, type Tombstone, tombstone } from "@tributary/shared/contracts/chunk";
import { maxClockSkewMs } from "@tributary/shared/contracts/limits";
import { describe, expect, it } from "vitest";
import { mergeRecord, readCells, type SectionWrite } from "./cell-merge.ts";
import { type EntityRecord, emptyRecord } from "./record.ts";
import { sectionId, shapeOf } from "./shape.ts";
import { hasTombstones, isOutlived, type SweepRules, sweepRecord } from "./sweep-record.ts";

const version = { eventTime: 5, incarnation: 1, sequence: 1, minor: 0 };
const write = (view: string, values: Record<string, FeatureValue | Tombstone>): SectionWrite => ({
  shape: shapeOf(view, 1, Object.keys(values)),
  cells: Object.entries(values).map(([feature, value]) => ({ feature, value, version })),
});
const recordOf = (...writes: SectionWrite[]): EntityRecord => mergeRecord(undefined, writes) ?? emptyRecord;
const all: SweepRules = { isNamed: () => true, takesTombstones: true };
const left = (record: EntityRecord | null | undefined) =>
  [...(record?.sections.values() ?? [])].flatMap((section) => readCells(section).map(({ feature }) => feature));

describe("a sweep", () => {
  it("takes tombstones when they may go, and leaves values and nulls of any age", () => {
    const record = recordOf(write("v", { a: 1, b: tombstone, c: null }));
    const swept = sweepRecord(record, all);
    expect(swept).toMatchObject({ tombstones: 1, sections: 0 });
    expect(left(swept?.record)).toEqual(["a", "c"]);
    expect(hasTombstones(record)).toBe(true);
    expect(sweepRecord(record, { ...all, takesTombstones: false })).toBeUndefined();
  });

  it("takes a view version that no catalog names, whole", () => {
    const record = recordOf(write("old", { a: 1, b: tombstone }), write("v", { c: 1 }));
    const isNamed = (section: string) => section !== sectionId("old", 1);
    const swept = sweepRecord(record, { isNamed, takesTombstones: false });
    expect(swept).toMatchObject({ tombstones: 0, sections: 1 });
    expect(left(swept?.record)).toEqual(["c"]);
  });

  it("leaves no record where nothing is left, but one that says up to where it is erased", () => {
    expect(sweepRecord(recordOf(write("v", { a: tombstone })), all)?.record).toBeNull();
    expect(sweepRecord(emptyRecord, all)?.record).toBeNull();
    expect(sweepRecord({ ...emptyRecord, erasure: version }, all)).toBeUndefined();
  });
});

describe("tombstones", () => {
  const round = { startedMs: 1_000, oldestMs: 899 + maxClockSkewMs + 1, ageMs: 100 };
  const seen = { nonce: "aa", atMs: 899 };

  it.each([
    [true, "long enough ago and unwritten since", seen, round],
    [false, "never met", undefined, round],
    [false, "written since", { ...seen, nonce: "bb" }, round],
    [false, "just as old as allowed", { ...seen, atMs: 900 }, { ...round, oldestMs: Number.POSITIVE_INFINITY }],
    [false, "met in this very round", { ...seen, atMs: 1_000 }, { ...round, ageMs: 0, oldestMs: 1e12 }],
    [false, "not surely older than what a stream still holds", seen, { ...round, oldestMs: 899 + maxClockSkewMs }],
  ])("may go: %s, %s", (may, _why, sighting, at) => {
    expect(isOutlived(sighting, "aa", at)).toBe(may);
  });
});
