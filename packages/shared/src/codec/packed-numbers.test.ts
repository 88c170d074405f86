import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { packNumbers, unpackNumbers } from "./packed-numbers.ts";

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const edge = fc.constantFrom(0, -0, -(2 ** 31), -(2 ** 31) + 1, 2 ** 31 - 1, 2 ** 31, Number.MAX_SAFE_INTEGER, 0.1);
const numbers = fc.oneof(
  fc.array(fc.oneof(int32, fc.constant(Number.NaN)), { maxLength: 50 }),
  fc.array(fc.oneof(int32, fc.double(), edge, fc.constant(Number.NaN)), { maxLength: 50 }),
);

function pack(...values: readonly number[]) {
  const { type, bytes } = packNumbers(Float64Array.from(values), 0, values.length);
  return [type, Buffer.from(bytes).toString("hex")];
}

describe("packed numbers", () => {
  it("are unpacked as they were, from any place of the array and at any offset of the reply", () => {
    fc.assert(
      fc.property(numbers, fc.nat(3), fc.nat(9), (all, skipped, offset) => {
        const from = Math.min(skipped, all.length);
        const { type, bytes } = packNumbers(Float64Array.from(all), from, all.length - from);
        const reply = Buffer.concat([Buffer.alloc(offset), bytes]);
        expect(unpackNumbers({ type, bytes: reply.subarray(offset) })).toEqual(
          all.slice(from).map((number) => (Number.isNaN(number) ? null : number)),
        );
      }),
    );
  });

  it.each([
    ["integers", [1, -2, 0x12345678], "int32", "01000000feffffff78563412"],
    ["nulls among them", [1, Number.NaN], "int32", "0100000000000080"],
    ["the integer that stands for null", [-(2 ** 31)], "float64", "000000000000e0c1"],
    ["an integer of more than 32 bits", [1, 2 ** 31], "float64", "000000000000f03f000000000000e041"],
    ["fractions and nulls", [0.5, Number.NaN], "float64", "000000000000e03f000000000000f87f"],
    ["a zero below zero", [-0], "float64", "0000000000000080"],
    ["nothing", [], "int32", ""],
  ])("have these bytes: %s", (_what, values, type, hex) => {
    expect(pack(...values)).toEqual([type, hex]);
  });

  it("refuses bytes that are no whole numbers", () => {
    for (const type of ["int32", "float64"] as const)
      expect(() => unpackNumbers({ type, bytes: new Uint8Array(6) })).toThrow(
        expect.objectContaining({ code: "MALFORMED" }),
      );
  });

  it("grow with what is packed", () => {
    const many = Float64Array.from({ length: 30_000 }, (_, i) => i + 0.5);
    expect(unpackNumbers(packNumbers(many, 0, many.length))).toEqual([...many]);
  });
});
