import { describe, expect, it } from "vitest";
import { compileExpression } from "./expression.ts";

const fields = { delay: "float64", origin: "string", n: "int64" };
const compile = (expression: string) => compileExpression(expression, fields, (why) => expect.unreachable(why));

describe("a CEL predicate", () => {
  it.each([
    ["delay > -60", { delay: -60 }, false],
    ["delay > -60", { delay: -59.5 }, true],
    ["n >= 3 && origin == 'ORD'", { n: 3, origin: "ORD" }, true],
    ["origin in ['ORD', 'LAX']", { origin: "DEN" }, false],
  ])("%s of %j is %s", (expression, values, expected) => {
    expect(compile(expression)?.({ delay: 0, origin: "", n: 0, ...values })).toBe(expected);
  });

  it.each(["delay >", "missing > 1.0", "delay > 'x'", "delay + 1.0"])("refuses %s", (expression) => {
    const problems: string[] = [];
    expect(compileExpression(expression, fields, (why) => problems.push(why))).toBeUndefined();
    expect(problems).toHaveLength(1);
  });
});
