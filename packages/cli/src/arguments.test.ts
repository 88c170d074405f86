import { describe, expect, it } from "vitest";
import { jsonOrText } from "./arguments.ts";

describe("a value on the command line", () => {
  it.each([
    ["0.5", 0.5],
    ["true", true],
    ["null", null],
    ["[1,2]", [1, 2]],
    ["storm", "storm"],
    ['"123"', "123"],
    ["9007199254740991", Number.MAX_SAFE_INTEGER],
    ["9007199254740993", "9007199254740993"],
    ["1e300", 1e300],
    ["-9223372036854775808", "-9223372036854775808"],
  ])("%s is %o: JSON, or text, and no digit is lost", (text, value) => {
    expect(jsonOrText(text)).toEqual(value);
  });
});
