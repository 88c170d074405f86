import { ordinaryClock } from "@tributary/shared/contracts/clock";
import { describe, expect, it } from "vitest";
import { arrivalOf, observeRecord } from "./arrival-clock.ts";

describe("the arrival of a message", () => {
  const replay = { simulatedMs: 1_000_000, realMs: 5_000, rate: 600 };
  const paused = { simulatedMs: 1_600_000, realMs: 6_000, rate: 0 };

  it("is the broker's timestamp on the ordinary clock", () => {
    expect(arrivalOf([ordinaryClock], 123_456, 200_000)).toEqual({ ms: 123_456, isExact: true });
  });

  it("is read through the record of its time, not through a later one", () => {
    const records = observeRecord([replay], paused);
    expect(arrivalOf(records, 5_500, 1_600_000)).toEqual({ ms: 1_300_000, isExact: true });
    expect(arrivalOf(records, 9_000, 1_600_000)).toEqual({ ms: 1_600_000, isExact: true });
  });

  it("is never ahead of the clock", () => {
    expect(arrivalOf([replay], 5_999, 1_500_000)).toEqual({ ms: 1_500_000, isExact: true });
  });

  it("before the first record seen is only bounded by that record's start", () => {
    expect(arrivalOf([paused], 1_000, 1_600_000)).toEqual({ ms: 1_600_000, isExact: false });
  });
});
