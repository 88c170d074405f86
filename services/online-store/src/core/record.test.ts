import { type FeatureValue, type Tombstone, tombstone } from "@tributary/shared/contracts/chunk";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { ByteReader } from "@tributary/shared/merge/byte-reader";
import { ByteWriter } from "@tributary/shared/merge/byte-writer";
import type { Cell } from "@tributary/shared/merge/cell";
import { readValue, skipValue, writeValue } from "@tributary/shared/merge/cell-value";
import { valueAt } from "@tributary/shared/merge/stored-column";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cellArbitrary, valueArbitrary } from "../testing/random-cells.ts";
import { CellColumns } from "./cell-columns.ts";
import { mergeRecord, readCells } from "./cell-merge.ts";
import { decodeRecord, type EntityRecord, encodeRecord, nonceOf } from "./record.ts";
import { planRecord, readRecords } from "./record-read.ts";
import { parseShape, type Shape, shapeOf, shapeText, UnknownShape } from "./shape.ts";

const nonce = Buffer.from("0102030405060708", "hex");
const congestion = shapeOf("congestion", 1, ["a", "b", "c", "d", "delayMean_15m", "old", "reason", "score"]);
const now = shapeOf("airport_now", 2, ["departures_15m", "delayMean_15m"]);
const shapes = knowing(congestion, now);

function knowing(...known: readonly Shape[]) {
  return { find: (id: number) => known.find((shape) => shape.id === id) };
}

function cell(feature: string, value: FeatureValue | Tombstone, eventTime: number): Cell {
  return { feature, value, version: { eventTime, incarnation: 7, sequence: 300, minor: 2 } };
}

function recordOf(...writes: readonly (readonly [Shape, readonly Cell[]])[]): EntityRecord {
  const merged = mergeRecord(
    undefined,
    writes.map(([shape, cells]) => ({ shape, cells })),
  );
  if (merged === undefined) throw new Error("nothing written");
  return merged;
}

const example = recordOf(
  [congestion, [cell("score", 0.75, 1000), cell("reason", "fog", 1000), cell("old", tombstone, -5)]],
  [
    now,
    [
      {
        ...cell("departures_15m", 12, 2000),
        schedule: {
          untilMs: 9000,
          changes: [
            { atMs: 3000, value: 11 },
            { atMs: 5000, value: null },
          ],
        },
      },
      { ...cell("delayMean_15m", 1 / 3, 2000), schedule: { untilMs: 9000, changes: [{ atMs: 5000, value: -7 }] } },
    ],
  ],
);

describe("a stored record", () => {
  it("has these bytes, in this and every later version of the store", () => {
    expect(encodeRecord(example, nonce).toString("hex")).toBe(
      "0201020304050607089b95288a003190ac7e65531a00d00f07ac0202c00803666f67050000403f000907ac020220ffc38f479164452303a01f07ac0202b06d02d00fa01f06555555555555d53f01010406030c0200030b0100",
    );
  });

  it("of the first format, whose sections brought their names along, is read as before and merged into this one", () => {
    const first = Buffer.from(
      "010102030405060708f3c2a75b000d616972706f72745f6e6f770032441d0d64656c61794d65616e5f31356d0e646570617274757265735f31356d01a01f07ac0202b06d02d00fa01f020006555555555555d53f0101040601030c0200030b01000c636f6e67657374696f6e00312f11036f6c6406726561736f6e0573636f726500d00f07ac020202010803666f6702050000403f000907ac02020100ff",
      "hex",
    );
    const { sections } = decodeRecord(first, knowing());
    for (const { section } of [congestion, now]) {
      expect(byFeature(readCells(sections.get(section)))).toEqual(byFeature(readCells(example.sections.get(section))));
    }
    const wanted = [["congestion", 1, { score: 0, reason: 1 }] as const];
    expect(valuesOf(read(first, wanted, 0, knowing()))).toEqual([0.75, "fog"]);
    const newer = cell("score", 1, 1001);
    const merged = mergeRecord(decodeRecord(first, shapes), [{ shape: congestion, cells: [newer] }]);
    expect(merged?.sections.get(congestion.section)?.shape).toBe(congestion);
    expect(byFeature(readCells(merged?.sections.get(congestion.section))).get("score")).toEqual(newer);
  });

  it("says which shape it names that is not known", () => {
    const bytes = encodeRecord(example, nonce);
    expect(() => decodeRecord(bytes, knowing(now))).toThrow(new UnknownShape(congestion.id));
    expect(() => read(bytes, [], 0, knowing(now))).toThrow(UnknownShape);
  });

  it("comes back as it was written", () => {
    fc.assert(
      fc.property(fc.uniqueArray(cellArbitrary, { selector: (one) => one.feature, maxLength: 12 }), (cells) => {
        fc.pre(cells.length > 0);
        const record = recordOf([congestion, cells]);
        const bytes = encodeRecord(record, nonce);
        const back = readCells(decodeRecord(bytes, shapes).sections.get(congestion.section));
        expect(byFeature(back)).toEqual(byFeature(cells));
        expect(encodeRecord(decodeRecord(bytes, shapes), nonce)).toEqual(bytes);
        expect(nonceOf(bytes)).toEqual(nonce);
      }),
    );
  });

  it("keeps an erasure version", () => {
    const erasure = { eventTime: 5, incarnation: 1, sequence: 2, minor: 3 };
    expect(decodeRecord(encodeRecord({ ...example, erasure }, nonce), shapes).erasure).toEqual(erasure);
  });

  it("answers CORRUPT for every truncation and every flipped bit of what its checksum covers", () => {
    const bytes = encodeRecord(example, nonce);
    for (let size = 0; size < bytes.length; size++) expectCorrupt(Buffer.from(bytes.subarray(0, size)));
    for (let at = 9; at < bytes.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const flipped = Buffer.from(bytes);
        flipped[at] = (flipped[at] as number) ^ (1 << bit);
        expectCorrupt(flipped);
      }
    }
  });

  it("answers CORRUPT or reads something, but never fails otherwise, when the checksum fits random bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (body) => {
        const record: EntityRecord = { sections: new Map([[congestion.section, { shape: congestion, body }]]) };
        const bytes = encodeRecord(record, nonce);
        onlyCorrupt(() => readCells(decodeRecord(bytes, shapes).sections.get(congestion.section)));
        onlyCorrupt(() => read(bytes, [["congestion", 1, { score: 0 }]], 0));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("a shape", () => {
  it("has the same id on every instance, and comes back from its text", () => {
    expect(shapeOf("congestion", 1, ["score", "reason"]).id.toString(16)).toBe("c738fa6e23bc");
    expect(shapeOf("congestion", 1, ["reason", "score", "score"])).toEqual(
      shapeOf("congestion", 1, ["score", "reason"]),
    );
    expect(parseShape(now.id, shapeText(now))).toEqual(now);
  });

  it("is refused when its text is not what its id stands for", () => {
    expect(() => parseShape(now.id + 1, shapeText(now))).toThrow(expect.objectContaining({ code: "CORRUPT" }));
  });
});

describe("a value's bytes", () => {
  it("come back equal and are skipped whole", () => {
    fc.assert(
      fc.property(valueArbitrary, (value) => {
        const writer = new ByteWriter();
        writeValue(writer, value);
        const bytes = writer.copy();
        expect(readValue(new ByteReader(bytes, 0, bytes.length))).toEqual(value);
        const reader = new ByteReader(bytes, 0, bytes.length);
        skipValue(reader);
        expect(reader.done).toBe(true);
      }),
    );
  });
});

describe("reading a record", () => {
  const wanted: readonly Wanted[] = [
    ["airport_now", 2, { departures_15m: 1, delayMean_15m: 0 }],
    ["congestion", 1, { score: 2, absent: 3 }],
    ["congestion", 9, { score: 4 }],
  ];
  const valuesAt = (nowMs: number) => valuesOf(read(encodeRecord(example, nonce), wanted, nowMs));

  it("takes the wanted features of the wanted view versions and nothing else", () => {
    expect(valuesAt(2000)).toEqual([1 / 3, 12, 0.75, undefined, undefined]);
  });

  it("takes the step of a schedule that is valid at the reader's clock", () => {
    expect(valuesAt(2999).slice(0, 2)).toEqual([1 / 3, 12]);
    expect(valuesAt(3000).slice(0, 2)).toEqual([1 / 3, 11]);
    expect(valuesAt(4999).slice(0, 2)).toEqual([1 / 3, 11]);
    expect(valuesAt(5000).slice(0, 2)).toEqual([-7, null]);
    expect(valuesAt(99_999).slice(0, 2)).toEqual([-7, null]);
  });

  it("takes any value of a view that was written whole", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(numberArbitrary, valueArbitrary), { minLength: 1, maxLength: 12 }), (values) => {
        const cells = values.map((value, i) => cell(`f${i + 10}`, value, 7));
        const names = cells.map(({ feature }) => feature);
        const shape = shapeOf("whole", 1, names);
        const places = Object.fromEntries(names.map((name, i) => [name, i]));
        const bytes = encodeRecord(recordOf([shape, cells]), nonce);
        expect(valuesOf(read(bytes, [["whole", 1, places]], 0, knowing(shape)))).toEqual(values);
      }),
    );
  });

  it("agrees with the whole decoding for any cells and any choice of features", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(cellArbitrary, { selector: (one) => one.feature, minLength: 1 }),
        fc.integer({ min: -20, max: 60 }),
        fc.func(fc.boolean()),
        (cells, nowMs, isWanted) => {
          const wanted = cells.filter((one) => isWanted(one.feature));
          const places = Object.fromEntries(wanted.map((one, i) => [one.feature, i]));
          const bytes = encodeRecord(recordOf([congestion, cells]), nonce);
          const found = read(bytes, [["congestion", 1, places]], nowMs);
          expect(valuesOf(found)).toEqual(
            wanted.map(
              ({ value, schedule }) =>
                schedule?.changes.findLast((change) => change.atMs <= nowMs)?.value ??
                valueBefore(schedule, nowMs, value),
            ),
          );
          expect([...found.eventTimes]).toEqual(wanted.map(({ version }) => version.eventTime));
          expect([...(found.untilMs ?? wanted.map(() => Number.POSITIVE_INFINITY))]).toEqual(
            wanted.map(({ schedule }) => schedule?.untilMs ?? Number.POSITIVE_INFINITY),
          );
        },
      ),
    );
  });
});

/** A due change to NULL counts as well, which `??` above cannot tell from none. */
function valueBefore(schedule: Cell["schedule"], nowMs: number, value: Cell["value"]): Cell["value"] {
  return schedule?.changes.some((change) => change.atMs <= nowMs) ? null : value;
}

const numberArbitrary = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.float({ noNaN: true }),
  fc.double({ noNaN: true }),
  fc.constant(-0),
);

type Wanted = readonly [view: string, viewVersion: number, places: Readonly<Record<string, number>>];

/** The wanted values of one record by place, and where asked their times. */
function read(bytes: Buffer, wanted: readonly Wanted[], nowMs: number, known = shapes) {
  const sections = wanted.map(([view, viewVersion, places]) => ({
    view,
    viewVersion,
    places: new Map(Object.entries(places)),
  }));
  const plan = planRecord(sections);
  return readRecords([bytes], [0], { plan, shapes: known, nowMs, into: new CellColumns(plan.size, 1) });
}

function valuesOf(cells: CellColumns): unknown[] {
  return [...cells.numbers.keys()].map((at) => valueAt(cells, at));
}

function expectCorrupt(bytes: Buffer): void {
  expect(() => decodeRecord(bytes, shapes)).toThrow(expect.objectContaining({ code: "CORRUPT" }));
}

function byFeature(cells: readonly Cell[]): Map<string, Cell> {
  return new Map(cells.map((one) => [one.feature, one]));
}

function onlyCorrupt(act: () => unknown): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof TributaryError && error.code === "CORRUPT")) throw error;
  }
}
