import { describe, expect, it } from "vitest";
import type { Feature } from "../contracts/feature.ts";
import { toFeatureValue } from "./value-codec.ts";

const feature = (type: Feature["type"], more: Partial<Feature> = {}): Feature => ({ name: "f", type, ...more });

describe("a feature value", () => {
  it.each([
    ["bool", true, true],
    ["int32", -5, -5],
    ["int64", 9_007_199_254_740_991n, 9_007_199_254_740_991],
    ["int64", "12", 12],
    ["float64", -0, 0],
    ["float32", 0.1, Math.fround(0.1)],
    ["string", "", ""],
    ["timestamp", "2026-01-31T12:00:00Z", Date.UTC(2026, 0, 31, 12)],
    ["timestamp", "2026-01-31T13:00:00.5+01:00", Date.UTC(2026, 0, 31, 12, 0, 0, 500)],
    ["timestamp", 5, 5],
    ["date", "1970-01-02", 1],
    ["bytes", "AQI=", Uint8Array.of(1, 2)],
    ["json", { a: [1, null, "x"] }, { a: [1, null, "x"] }],
  ] as const)("of type %s takes %s", (type, input, expected) => {
    expect(toFeatureValue(feature(type), input)).toEqual(expected);
  });

  it("keeps NULL apart from values, for every type", () => {
    expect(toFeatureValue(feature("int64"), null)).toBeNull();
  });

  it.each([
    ["float64", Number.NaN],
    ["float64", Number.POSITIVE_INFINITY],
    ["float32", 1e39],
    ["int32", 2 ** 31],
    ["int32", 1.5],
    ["int64", 2 ** 53],
    ["int64", 9_007_199_254_740_993n],
    ["int64", "12.0"],
    ["bool", 1],
    ["string", 5],
    ["timestamp", "2026-01-31T12:00:00"],
    ["timestamp", "2026-02-30T12:00:00Z"],
    ["date", "2026-02-30"],
    ["timestamp", "yesterday"],
    ["timestamp", 1.5],
    ["date", "2026-02-31x"],
    ["bytes", "no base64!"],
    ["json", { a: Number.NaN }],
    ["json", undefined],
  ] as const)("of type %s refuses %s", (type, input) => {
    expect(() => toFeatureValue(feature(type), input)).toThrow(
      expect.objectContaining({ code: "BAD_VALUE", message: expect.stringContaining('"f"') }),
    );
  });

  it("checks the range, the allowed values and the length", () => {
    expect(() => toFeatureValue(feature("float64", { max: 1 }), 1.1)).toThrow("at most 1");
    expect(() => toFeatureValue(feature("float64", { min: 0 }), -0.1)).toThrow("at least 0");
    expect(() => toFeatureValue(feature("string", { enum: ["a", "b"] }), "c")).toThrow("one of a, b");
    expect(() => toFeatureValue(feature("string"), "ü".repeat(3_000))).toThrow("longer than");
  });

  it("refuses null where the feature is not nullable", () => {
    expect(() => toFeatureValue(feature("int64", { nullable: false }), null)).toThrow('"f" must not be null');
    expect(toFeatureValue(feature("int64", { nullable: true }), null)).toBeNull();
  });

  it.each([
    ["string", "äöü", "äö", "äöüß", "characters"],
    ["string", "🛫🛬🛫", "🛫🛬", "🛫🛬🛫🛬", "characters"],
    ["bytes", Uint8Array.of(1, 2, 3), Uint8Array.of(1, 2), Uint8Array.of(1, 2, 3, 4), "bytes"],
    ["list", [1, 2, 3], [1, 2], [1, 2, 3, null], "elements"],
    ["map", { a: 1, b: 2, c: 3 }, { a: 1, b: 2 }, { a: 1, b: 2, c: 3, d: 4 }, "elements"],
  ] as const)("of type %s has a length in its own unit: %j fits 3", (type, fits, short, long, unit) => {
    const three = feature(type, {
      minLength: 3,
      maxLength: 3,
      ...(type === "list" || type === "map" ? { of: "int64" } : {}),
    });
    expect(toFeatureValue(three, fits)).toEqual(fits);
    expect(() => toFeatureValue(three, short)).toThrow(`"f" must have at least 3 ${unit}`);
    expect(() => toFeatureValue(three, long)).toThrow(`"f" must have at most 3 ${unit}`);
  });

  describe("of type int64 as bigint", () => {
    const wide = feature("int64", { as: "bigint" });

    it.each([
      [5, 5],
      [5n, 5],
      ["-5", -5],
      [9_007_199_254_740_991n, 9_007_199_254_740_991],
      [9_007_199_254_740_993n, 9_007_199_254_740_993n],
      ["9223372036854775807", 9_223_372_036_854_775_807n],
      [-9_223_372_036_854_775_808n, -9_223_372_036_854_775_808n],
    ])("takes %s as %s: a number while it is safe", (input, value) => {
      expect(toFeatureValue(wide, input)).toBe(value);
    });

    it.each([9_223_372_036_854_775_808n, "-9223372036854775809", 2 ** 53, 1.5, "1.5", "", true])(
      "refuses %s",
      (input) => {
        expect(() => toFeatureValue(wide, input)).toThrow("64 bits");
      },
    );

    it("keeps its bounds, in lists and maps too", () => {
      expect(() => toFeatureValue({ ...wide, max: 10 }, 2n ** 60n)).toThrow("at most 10");
      const big = 2n ** 60n;
      expect(toFeatureValue(feature("list", { of: "int64", as: "bigint" }), [big, 1n, null])).toEqual([big, 1, null]);
      expect(toFeatureValue(feature("map", { of: "int64", as: "bigint" }), { a: `${big}` })).toEqual({ a: big });
      expect(() => toFeatureValue(feature("list", { of: "int64" }), [big])).toThrow("a list of int64");
    });
  });

  it("writes a vector as little-endian float32 of the declared dimension", () => {
    const vector = feature("vector", { dimension: 2 });
    expect(toFeatureValue(vector, [1, -2])).toEqual(Uint8Array.of(0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0));
    expect(toFeatureValue(vector, Float32Array.of(1, -2))).toEqual(toFeatureValue(vector, [1, -2]));
    for (const wrong of [[1], [1, Number.NaN], [1, "2"], "12"])
      expect(() => toFeatureValue(vector, wrong)).toThrow("a vector of 2 numbers");
  });

  it("checks each element of a list and of a map", () => {
    expect(toFeatureValue(feature("list", { of: "int64" }), [1, null, 3n])).toEqual([1, null, 3]);
    expect(() => toFeatureValue(feature("list", { of: "int64" }), [1, "x"])).toThrow("a list of int64");
    expect(toFeatureValue(feature("map", { of: "float64" }), { a: 1.5 })).toEqual({ a: 1.5 });
    expect(() => toFeatureValue(feature("map", { of: "float64" }), { a: "1.5" })).toThrow("a map of float64");
  });
});
