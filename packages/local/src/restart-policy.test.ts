import { describe, expect, it } from "vitest";
import { afterDeath, noDeaths, waitMs } from "./restart-policy.ts";

const die = (times: number, gapMs: number, lifeMs = 10) =>
  Array.from({ length: times }, (_, i) => i * gapMs).reduce(
    (policy, diedMs) => afterDeath(policy, { bornMs: diedMs - lifeMs, diedMs }),
    noDeaths,
  );

describe("restart policy", () => {
  it("waits longer after each death, at most five seconds", () => {
    const waits = [1, 2, 3, 10].map((times) => waitMs(die(times, 1_000), 10));
    expect(waits).toEqual([100, 200, 400, 5_000]);
  });

  it("gives up after too many deaths within a minute", () => {
    expect(waitMs(die(11, 1_000), 10)).toBeUndefined();
  });

  it("forgets deaths that are older than a minute", () => {
    expect(waitMs(die(11, 7_000), 10)).toBe(5_000);
  });

  it("starts afresh after a long life", () => {
    expect(waitMs(die(5, 40_000, 35_000), 10)).toBe(100);
  });
});
