import { type FeatureValue, type Tombstone, tombstone } from "@tributary/shared/contracts/chunk";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { ByteReader } from "@tributary/shared/merge/byte-reader";
import { ByteWriter } from "@tributary/shared/merge/byte-writer";
import type { Cell } from "@tributary/shared/merge/cell";
import { readValue, skipValue, writeValue } from "@tributary/shared/merge/cell-value";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cellArbitrary, valueArbitrary } from "../testing/random-cells.ts";
import { mergeRecord, readCells } from "./cell-merge.ts";
import { decodeRecord, type EntityRecord, encodeRecord, nonceOf, sectionId } from "./record.ts";
import { planSection, readRecord } from "./record-read.ts";

const nonce = Buffer.from("0102030405060708", "hex");
const congestion = sectionId("congestion", 1);
const now = sectionId("airport_now", 2);

function cell(feature: string, value: FeatureValue | Tombstone, eventTime: number): Cell {
  return { feature, value, version: { eventTime, incarnation: 7, sequence: 300, minor: 2 } };
}

function recordOf(writes: Record<string, readonly Cell[]>): EntityRecord {
  const merged = mergeRecord(
    undefined,
    Object.entries(writes).map(([section, cells]) => ({ section, cells })),
  );
  if (merged === undefined) throw new Error("nothing written");
  return merged;
}

const example = recordOf({
  [congestion]: [cell("score", 0.75, 1000), cell("reason", "fog", 1000), cell("old", tombstone, -5)],
  [now]: [
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
});

describe("a stored record", () => {
  it("has these bytes, in this and every later version of the store", () => {
    expect(encodeRecord(example, nonce).toString("hex")).toBe(
      "010102030405060708f3c2a75b000d616972706f72745f6e6f770032441d0d64656c61794d65616e5f31356d0e646570617274757265735f31356d01a01f07ac0202b06d02d00fa01f020006555555555555d53f0101040601030c0200030b01000c636f6e67657374696f6e00312f11036f6c6406726561736f6e0573636f726500d00f07ac020202010803666f6702050000403f000907ac02020100ff",
    );
  });

  it("comes back as it was written", () => {
    fc.assert(
      fc.property(fc.uniqueArray(cellArbitrary, { selector: (one) => one.feature, maxLength: 12 }), (cells) => {
        fc.pre(cells.length > 0);
        const record = recordOf({ [congestion]: cells });
        const bytes = encodeRecord(record, nonce);
        const back = readCells(decodeRecord(bytes).sections.get(congestion));
        expect(new Map(back.map((one) => [one.feature, one]))).toEqual(new Map(cells.map((one) => [one.feature, one])));
        expect(encodeRecord(decodeRecord(bytes), nonce)).toEqual(bytes);
        expect(nonceOf(bytes)).toEqual(nonce);
      }),
    );
  });

  it("keeps an erasure version", () => {
    const erasure = { eventTime: 5, incarnation: 1, sequence: 2, minor: 3 };
    expect(decodeRecord(encodeRecord({ ...example, erasure }, nonce)).erasure).toEqual(erasure);
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
        const record: EntityRecord = { sections: new Map([[congestion, body]]) };
        const bytes = encodeRecord(record, nonce);
        onlyCorrupt(() => readCells(decodeRecord(bytes).sections.get(congestion)));
        onlyCorrupt(() => readRecord(bytes, [planSection("congestion", 1, new Map([["score", 0]]))], 0));
      }),
      { numRuns: 2_000 },
    );
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
  const plans = () => [
    planSection(
      "airport_now",
      2,
      new Map([
        ["departures_15m", 1],
        ["delayMean_15m", 0],
      ]),
    ),
    planSection(
      "congestion",
      1,
      new Map([
        ["score", 2],
        ["absent", 3],
      ]),
    ),
    planSection("congestion", 9, new Map([["score", 4]])),
  ];
  const read = (nowMs: number) => readRecord(encodeRecord(example, nonce), plans(), nowMs).map((one) => one?.value);

  it("takes the wanted features of the wanted view versions and nothing else", () => {
    expect(read(2000)).toEqual([1 / 3, 12, 0.75]);
  });

  it("takes the step of a schedule that is valid at the reader's clock", () => {
    expect(read(2999).slice(0, 2)).toEqual([1 / 3, 12]);
    expect(read(3000).slice(0, 2)).toEqual([1 / 3, 11]);
    expect(read(4999).slice(0, 2)).toEqual([1 / 3, 11]);
    expect(read(5000).slice(0, 2)).toEqual([-7, null]);
    expect(read(99_999).slice(0, 2)).toEqual([-7, null]);
  });

  it("agrees with the whole decoding for any cells and any choice of features", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(cellArbitrary, { selector: (one) => one.feature, minLength: 1 }),
        fc.integer({ min: -20, max: 60 }),
        fc.func(fc.boolean()),
        (cells, nowMs, isWanted) => {
          const wanted = cells.filter((one) => isWanted(one.feature));
          const places = new Map(wanted.map((one, i) => [one.feature, i]));
          const bytes = encodeRecord(recordOf({ [congestion]: cells }), nonce);
          const found = readRecord(bytes, [planSection("congestion", 1, places)], nowMs);
          expect(found).toEqual(
            wanted.map(({ value, version, schedule }) => ({
              value:
                schedule?.changes.findLast((change) => change.atMs <= nowMs)?.value ??
                valueBefore(schedule, nowMs, value),
              eventTime: version.eventTime,
              untilMs: schedule?.untilMs ?? null,
            })),
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

function expectCorrupt(bytes: Buffer): void {
  expect(() => decodeRecord(bytes)).toThrow(expect.objectContaining({ code: "CORRUPT" }));
}

function onlyCorrupt(act: () => unknown): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof TributaryError && error.code === "CORRUPT")) throw error;
  }
}
