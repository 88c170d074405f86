import { foreverMs } from "@tributary/shared/aggregation/row-schedule";
import { describe, expect, it } from "vitest";
import { nextDueMs } from "./row-emission.ts";

const lags = { marginMs: 5, settleLagMs: 20 };
const row = (untilMs: number, ...steps: number[]) => ({
  values: [1],
  schedule: { untilMs, steps: steps.map((atMs) => ({ atMs, changes: [] })) },
});

describe("when a key is due again", () => {
  it("is shortly before its schedule ends", () => {
    expect(nextDueMs(row(100, 40, 80), 30, lags)).toBe(95);
  });

  it("is not before a step has passed, nor at the instant at which it was seen", () => {
    expect(nextDueMs(row(100, 98), 30, lags)).toBe(98);
    expect(nextDueMs(row(30), 30, lags)).toBe(31);
  });

  it("lies in the past when the clock has jumped past the schedule's end, so that a clock that stands still finds it", () => {
    const clockNowMs = 500;
    expect(nextDueMs(row(100, 40), 30, { marginMs: 0, settleLagMs: 0 })).toBeLessThanOrEqual(clockNowMs);
  });

  it("is when the last step is settled, for a key with nothing left to change", () => {
    expect(nextDueMs(row(foreverMs, 40), 30, lags)).toBe(60);
    expect(nextDueMs(row(foreverMs), 30, lags)).toBe(50);
  });
});
