import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { hasColors } from "./colors.ts";

const terminal = Object.assign(new PassThrough(), { isTTY: true });
const pipe = new PassThrough();

describe("colours", () => {
  it.each([
    ["are on a terminal", true, {}, terminal, true],
    ["are in no pipe", true, {}, pipe, false],
    ["are on no dumb terminal", true, { TERM: "dumb" }, terminal, false],
    ["go with NO_COLOR", true, { NO_COLOR: "1" }, terminal, false],
    ["stay with an empty NO_COLOR", true, { NO_COLOR: "" }, terminal, true],
    ["come with FORCE_COLOR", true, { FORCE_COLOR: "1" }, pipe, true],
    ["go with FORCE_COLOR=0", true, { FORCE_COLOR: "0" }, terminal, false],
    ["go when both variables are set", true, { FORCE_COLOR: "1", NO_COLOR: "1" }, terminal, false],
    ["go with --no-color, whatever is set", false, { FORCE_COLOR: "1" }, terminal, false],
  ])("%s", (_what, wanted, environment, stream, expected) => {
    expect(hasColors({ wanted, environment, stream })).toBe(expected);
  });
});
