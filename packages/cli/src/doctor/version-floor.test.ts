import { describe, expect, it } from "vitest";
import { compareWithFloor, isAtLeast } from "./version-floor.ts";

describe("the security floor of nats-server", () => {
  it.each([
    ["2.9.10", "below"],
    ["2.10.29", "below"],
    ["2.11.15", "below"],
    ["2.11.16", "fixed"],
    ["2.12.6", "below"],
    ["2.12.10", "fixed"],
    ["2.13.9", "below"],
    ["2.14.0-RC.1", "below"],
    ["2.14.0", "fixed"],
    ["2.15.0", "fixed"],
    ["3.0.0", "fixed"],
    ["unknown", "unknown"],
  ])("%s is %s", (version, result) => {
    expect(compareWithFloor(version)).toBe(result);
  });

  it("compares versions by numbers, not letters", () => {
    expect(isAtLeast("v20.9.0", { major: 20, minor: 19 })).toBe(false);
    expect(isAtLeast("v20.19.0", { major: 20, minor: 19 })).toBe(true);
    expect(isAtLeast("v100.0.0", { major: 20, minor: 19 })).toBe(true);
  });
});
