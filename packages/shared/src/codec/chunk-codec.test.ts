import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Chunk, type ChunkCell, type RowsChunk, tombstone } from "../contracts/chunk.ts";
import { decodeChunk, encodeChunk } from "./chunk-codec.ts";
import { pack, unpack } from "./msgpack.ts";

const header = {
  lane: "stream",
  view: "airport_now",
  viewVersion: 1,
  catalogVersion: 3,
  partition: 7,
  producer: "stream-processor-1",
} as const;

/** One of everything; its bytes are data that readers of every later version must understand. */
const golden: RowsChunk = {
  ...header,
  kind: "rows",
  trace: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  run: { number: 12, ordinal: 3 },
  fence: 4,
  clock: { simulatedMs: 992_000_000_000, realMs: 1_700_000_000_000, rate: 60 },
  keys: ["ORD", "LAX", "DEN"],
  eventTimes: [992_000_000_000, null, 992_000_060_000],
  stamps: { incarnations: [5, 5, 5], sequences: [10, 11, 12], minors: [0, 0, 1] },
  columns: [
    { feature: "departures_15m", cells: [3, undefined, 0] },
    { feature: "reason", cells: ["fog", tombstone, null] },
  ],
  schedules: [{ untilMs: 992_000_900_000, steps: [{ atMs: 992_000_060_000, changes: [[0, 2]] }] }, null, null],
};
const goldenHex =
  "de0012a16601a16ca673747265616da176ab616972706f72745f6e6f77a2767601a2637603a17007a26279b273747265616d2d70726f636573736f722d31a27472d93730302d30616637363531393136636434336464383434386562323131633830333139632d623761643662373136393230333333312d3031a372756e920c03a566656e636504a16ba4726f7773a16e03a5636c6f636b83ab73696d756c617465644d73cb426cdef9d8000000a67265616c4d73cb4278bcfe56800000a4726174653ca46b65797393a34f5244a34c4158a344454ea2657493cb426cdef9d8000000c0cb426cdef9f54c0000a273749305930a0b0c93000001a4636f6c739294ae646570617274757265735f31356dc40105c092030094a6726561736f6ec0c4010292a3666f67c0a573636865649392cb426cdefb8f7400009192cb426cdef9f54c0000920002c0c0";

const confirmation: Chunk = { ...header, kind: "confirm", confirmedAtMs: 992_000_000_000 };

const cell: fc.Arbitrary<ChunkCell> = fc.oneof(
  fc.constant(undefined),
  fc.constant(tombstone),
  fc.constant(null),
  fc.integer(),
  fc.string(),
  fc.boolean(),
);
const chunks: fc.Arbitrary<RowsChunk> = fc.integer({ min: 1, max: 40 }).chain((rows) =>
  fc.record({
    kind: fc.constant("rows" as const),
    lane: fc.constantFrom("batch" as const, "stream" as const, "direct" as const),
    view: fc.string(),
    viewVersion: fc.nat(),
    catalogVersion: fc.nat(),
    partition: fc.nat(31),
    producer: fc.string(),
    keys: fc.array(fc.string(), { minLength: rows, maxLength: rows }),
    eventTimes: fc.array(fc.option(fc.maxSafeNat()), { minLength: rows, maxLength: rows }),
    columns: fc.array(
      fc.record({ feature: fc.string(), cells: fc.array(cell, { minLength: rows, maxLength: rows }) }),
      { maxLength: 5 },
    ),
  }),
);

describe("chunk codec", () => {
  it("gives back any chunk of rows", () => {
    fc.assert(
      fc.property(chunks, (chunk) => {
        expect(decodeChunk(encodeChunk(chunk))).toEqual(chunk);
      }),
    );
  });

  it("gives back every optional part", () => {
    expect(decodeChunk(encodeChunk(golden))).toEqual(golden);
    expect(decodeChunk(encodeChunk(confirmation))).toEqual(confirmation);
    const whole: Chunk = { ...confirmation, whole: true };
    for (const one of [whole, { ...whole, since: 4711 }]) expect(decodeChunk(encodeChunk(one))).toEqual(one);
  });

  it("writes the golden bytes of format 1, and reads them", () => {
    expect(Buffer.from(encodeChunk(golden)).toString("hex")).toBe(goldenHex);
    expect(decodeChunk(Buffer.from(goldenHex, "hex"))).toEqual(golden);
  });

  it("ignores unknown optional fields and refuses unknown required ones", () => {
    const wire = unpack(encodeChunk(confirmation)) as object;
    expect(decodeChunk(pack({ ...wire, later: 1 }))).toEqual(confirmation);
    const refused = expect.objectContaining({ code: "UNSUPPORTED_FORMAT", message: expect.stringContaining("later") });
    expect(() => decodeChunk(pack({ ...wire, must: ["later"] }))).toThrow(refused);
  });

  it("refuses a format it does not know, by name", () => {
    const wire = unpack(encodeChunk(confirmation)) as object;
    expect(() => decodeChunk(pack({ ...wire, f: 2 }))).toThrow(expect.objectContaining({ code: "UNSUPPORTED_FORMAT" }));
  });

  it.each([
    ["a value too few", { cols: [["a", null, null, [1]]] }],
    ["a key too few", { keys: ["ORD"] }],
    ["a schedule for a missing column", { sched: [[1, [[1, [9, 1]]]], null, null] }],
    ["event times that are text", { et: "now" }],
  ])("refuses %s", (_what, change) => {
    const wire = unpack(encodeChunk(golden)) as object;
    expect(() => decodeChunk(pack({ ...wire, ...change }))).toThrow(expect.objectContaining({ code: "MALFORMED" }));
  });

  it("survives any damage to its bytes with a coded error or a chunk", () => {
    const bytes = encodeChunk(golden);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, value) => {
        const damaged = Uint8Array.from(bytes);
        damaged[at] = value;
        try {
          decodeChunk(damaged);
        } catch (error) {
          expect(error).toMatchObject({ name: "TributaryError" });
        }
      }),
      { numRuns: 5_000 },
    );
  });
});
