import { describe, expect, it } from "vitest";
import type { FeatureValue } from "../contracts/chunk.ts";
import type { FeatureType } from "../contracts/feature.ts";
import { limits } from "../contracts/limits.ts";
import { compileValue, type ValueExpression } from "./expression-value.ts";

const types = {
  delay: "float64",
  n: "int64",
  big: "int64",
  s: "string",
  b: "bool",
  at: "timestamp",
  l: "list",
  m: "map",
  type: "string",
  raw: "bytes",
} as const satisfies Record<string, FeatureType>;
const some = {
  delay: 30.5,
  n: 3,
  big: 2n ** 60n,
  s: "ORD",
  b: true,
  at: 90_000_000,
  l: [1, 2, null],
  m: { a: 1 },
  type: "a",
  raw: Buffer.from("ab"),
};
const nothing = {
  delay: null,
  n: null,
  big: null,
  s: null,
  b: null,
  at: null,
  l: null,
  m: null,
  type: null,
  raw: null,
};
const inputs = Object.entries(types).map(([name, type]) => ({ name, type }));
const expressionOf = (type: FeatureType, expression: string): ValueExpression => ({
  name: "f",
  type,
  expression,
  inputs,
});
const evaluated = (type: FeatureType, expression: string, values: Record<string, FeatureValue>) =>
  compileValue(expressionOf(type, expression), (why) => expect.unreachable(why))?.(values);
function problemsOf(type: FeatureType, expression: string): string[] {
  const problems: string[] = [];
  const compiled = compileValue(expressionOf(type, expression), (why) => problems.push(why));
  expect(compiled === undefined).toBe(problems.length > 0);
  return problems;
}

describe("a value that CEL makes", () => {
  it.each<[FeatureType, string, FeatureValue | undefined, FeatureValue | undefined]>([
    // type, expression, with values, with nulls; undefined = no value
    ["float64", "delay == null ? 0.0 : delay * 0.01 * double(n)", 30.5 * 0.01 * 3, 0],
    ["float64", "delay * 2", 61, undefined],
    ["float64", "2 * delay + n / 2", 62.5, undefined],
    ["float64", "delay / (n - 3)", undefined, undefined],
    ["float64", "0.0 / 0.0", undefined, undefined],
    ["float64", "n > 3 ? null : delay", 30.5, undefined],
    ["float64", "delay == null ? null : delay", 30.5, null],
    ["float64", "big", 2 ** 60, null],
    ["float32", "delay * 0.1", Math.fround(3.05), undefined],
    ["int64", "n * 2", 6, undefined],
    ["int64", "n / 2", undefined, undefined],
    ["int64", "big", undefined, null],
    ["int64", "int(delay) % 7", 2, undefined],
    ["int64", "9223372036854775807 + 1", undefined, undefined],
    ["int32", "n == 3 ? 1 : 0", 1, 0],
    ["int32", "n * 1e9", undefined, undefined],
    ["bool", "n == 3", true, false],
    ["bool", "n in [1, 3]", true, false],
    ["bool", "delay > -60", true, undefined],
    ["bool", "delay == null || delay < n", false, true],
    ["bool", "b != null && b", true, false],
    ["string", "s == null ? 'none' : s + '-' + string(n)", "ORD-3", "none"],
    ["string", "s.substring(0, 1)", "O", undefined],
    ["timestamp", "at + 1000", 90_001_000, undefined],
    ["timestamp", "timestamp(int(at / 1000))", 90_000_000, undefined],
    ["int64", "timestamp(int(at / 1000)).getHours()", 1, undefined],
    ["list", "[delay, n]", [30.5, 3], [null, null]],
    ["list", "l.filter(x, x != null).map(x, x * 2)", [2, 4], undefined],
    ["list", "l.map(x, x * 2)", undefined, undefined],
    ["float64", "l[0] + m.a", 2, undefined],
    ["bool", "has(m.b)", false, false],
    ["map", '{"delay": delay}', { delay: 30.5 }, { delay: null }],
    ["json", '{"n": [n, 1]}', { n: [3, 1] }, { n: [null, 1] }],
    ["int64", "size(raw)", 2, undefined],
    ["float64", "math.greatest(delay, 0) + math.round(-2.5) + math.abs(-1)", 28.5, undefined],
  ])("%s %s", (type, expression, withValues, withNulls) => {
    expect(evaluated(type, expression, some)).toEqual(withValues);
    expect(evaluated(type, expression, nothing)).toEqual(withNulls);
    expect(evaluated(type, expression, {})).toEqual(withNulls);
  });

  it.each<[FeatureType, string, string]>([
    ["float64", "delay >", "CEL"],
    ["float64", "nope * 2.0", "Unknown variable: nope; there is delay, n"],
    ["float64", "delay + 'x'", "no such overload: double + string"],
    ["float64", "s", "is string, which is no float64"],
    ["string", "delay == null ? 1.0 : delay", "is double, which is no string"],
    ["string", "delay == null ? null : delay", "is double, which is no string"],
    ["bool", "n", "is double, which is no bool"],
    ["int64", "n > 1 ? 0 : n", "write whole numbers as 1.0"],
    ["bool", "s.matches('(a+)+$')", "matches is not available"],
    ["list", "l.map(x, l.map(y, x))", "map inside another macro"],
    ["vector", "l", "its type is vector, which CEL does not have"],
    ["float64", `${"(".repeat(40)}1.0${")".repeat(40)}`, "Exceeded maxDepth (32)"],
    ["float64", `1.0${"+1.0".repeat(400)}`, "Exceeded maxAstNodes (500)"],
    ["string", "type", '"type" is a word of CEL'],
    ["string", `"${"x".repeat(3_000)}"`, "at most 2048 are allowed"],
  ])("%s %s is refused, saying why", (type, expression, why) => {
    expect(problemsOf(type, expression)).toEqual([expect.stringContaining(why)]);
  });

  it("is not made of more than may be looked at, nor larger than may be stored", () => {
    const of = (elements: number) => ({ ...some, l: Array.from({ length: elements }, () => 1) });
    expect(evaluated("int64", "size(l)", of(limits.expressionElementsMax))).toBe(limits.expressionElementsMax);
    expect(evaluated("int64", "size(l)", of(limits.expressionElementsMax + 1))).toBeUndefined();
    const long = { ...of(1_000), s: "x".repeat(100) };
    expect(evaluated("list", "l.map(x, s)", long)).toBeUndefined();
    expect(evaluated("list", "l.map(x, s)", { ...long, s: "x" })).toHaveLength(1_000);
  });

  it("leaves nothing behind for the next one", () => {
    const evaluate = compileValue(expressionOf("float64", "delay * 2"), (why) => expect.unreachable(why));
    expect([evaluate?.(some), evaluate?.({}), evaluate?.(some)]).toEqual([61, undefined, 61]);
    expect(Error.stackTraceLimit).toBeGreaterThan(0);
  });
});
