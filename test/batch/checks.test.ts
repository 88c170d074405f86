import { toFeatureValue } from "@tributary/shared/codec/value-codec";
import type { Feature } from "@tributary/shared/contracts/feature";
import { describe, expect, it } from "vitest";
import { castOne } from "./cast-one.ts";
import { useEngine } from "./engine-fixture.ts";

type Shape = Omit<Feature, "name">;
const wide: Shape = { type: "int64", as: "bigint" };
const big = 2n ** 60n + 1n;

/** One value, in SQL and in JavaScript, and why it is refused; null = it is taken. */
const cases: readonly (readonly [Shape, sql: string, written: unknown, why: string | null])[] = [
  [{ type: "int32", min: -1 }, "-1", -1, null],
  [{ type: "int32", min: -1 }, "-2", -2, "must be at least -1"],
  [{ type: "int64", max: 0.5 }, "1", 1, "must be at most 0.5"],
  [{ type: "int64", max: 0.5 }, "0", 0, null],
  [{ type: "float64", min: 0, max: 1 }, "1", 1, null],
  [{ type: "float64", max: 1 }, "1.0000000000000002::DOUBLE", 1.0000000000000002, "must be at most 1"],
  [{ type: "float64", min: 1e-7 }, "0", 0, "must be at least 1e-7"],
  // As float32 it is a little more than 0.1.
  [{ type: "float32", max: 0.1 }, "0.1", 0.1, "must be at most 0.1"],
  [{ type: "float32", min: 0.1 }, "0.1", 0.1, null],
  [{ type: "string", enum: ["a", "it's"] }, "'it''s'", "it's", null],
  [{ type: "string", enum: ["a", "it's"] }, "'c'", "c", "must be one of a, it's"],
  [{ type: "string", minLength: 1 }, "''", "", "must have at least 1 characters"],
  [{ type: "string", maxLength: 2 }, "'🛫🛬'", "🛫🛬", null],
  [{ type: "string", maxLength: 2 }, "'🛫🛬🛫'", "🛫🛬🛫", "must have at most 2 characters"],
  // An e and an accent of its own are two characters.
  [{ type: "string", maxLength: 1 }, "'e' || chr(769)", "e\u0301", "must have at most 1 characters"],
  [{ type: "bytes", maxLength: 1 }, "'a'::BLOB", Uint8Array.of(97), null],
  [{ type: "bytes", maxLength: 1 }, "'ab'::BLOB", Uint8Array.of(97, 98), "must have at most 1 bytes"],
  [{ type: "list", of: "string", minLength: 2 }, "['a', NULL]", ["a", null], null],
  [{ type: "list", of: "string", minLength: 2 }, "['a']", ["a"], "must have at least 2 elements"],
  [{ type: "list", of: "int64", maxLength: 0 }, "[]::BIGINT[]", [], null],
  [{ type: "float64", nullable: false }, "NULL::DOUBLE", null, "must not be null"],
  [{ type: "json", nullable: false }, "'null'", null, "must not be null"],
  [{ type: "float64", nullable: false, min: 0 }, "1", 1, null],
  [{ type: "float64", min: 0 }, "NULL::DOUBLE", null, null],
  [wide, "1152921504606846977", big, null],
  [wide, "'-9223372036854775808'", -(2n ** 63n), null],
  [wide, "7", 7n, null],
  [wide, "7.0::DECIMAL(9,2)", 7, null],
  [{ ...wide, max: 2 ** 60 }, "1152921504606846976", 2n ** 60n, null],
  [{ ...wide, max: 2 ** 60 }, "1152921504606846977", big, `must be at most ${2 ** 60}`],
  [{ type: "list", of: "int64", as: "bigint" }, "[1152921504606846977, 1, NULL]", [big, 1, null], null],
];

describe("a feature's checks", () => {
  const { engine } = useEngine();

  it.each(cases)("of %o say the same of %s computed and of %o written", async (shape, sql, written, why) => {
    const feature: Feature = { name: "f", ...shape };
    const computed = await castOne(engine(), feature, sql);
    if (why !== null) {
      expect(computed.problem).toBe(`feature "f" ${why}`);
      expect(() => toFeatureValue(feature, written)).toThrow(`feature "f" ${why}`);
    } else expect(computed).toEqual({ problem: null, value: toFeatureValue(feature, written) });
  });

  it.each([
    ["'1.5'", "is not a whole number"],
    ["'1e3'", "is not a whole number"],
    ["'9223372036854775808'", "is not int64"],
    ["'9007199254740993.5'", "is not a whole number"],
    ["9007199254740993.5::DECIMAL(18,1)", "is not a whole number"],
    ["9223372036854775808", "is not int64"],
    ["1.5::DOUBLE", "is not a whole number"],
    ["18014398509481984::DOUBLE", "is a float beyond ±2^53, which is not exact; cast it to BIGINT sooner"],
  ])("withhold what is no exact whole number of 64 bits: %s", async (sql, why) => {
    expect((await castOne(engine(), { name: "f", ...wide }, sql)).problem).toBe(`feature "f" ${why}`);
  });
});
