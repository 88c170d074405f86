import { describe, expect, it } from "vitest";
import {
  countOfDurations,
  DurationCounter,
  durationBounds,
  durationQuantile,
  mergeDurations,
  noDurations,
} from "./duration-histogram.ts";

function histogramOf(...values: number[]) {
  const counter = new DurationCounter();
  for (const ms of values) counter.add(ms);
  return counter.read();
}

describe("a histogram of durations", () => {
  it("puts every duration into the first bucket whose bound it does not exceed", () => {
    const values = [...durationBounds.flatMap((bound) => [bound, bound + 0.5, bound - 0.5]), 0, -3, 3, 2 ** 40];
    for (const ms of values) {
      const naive = durationBounds.findIndex((bound) => ms <= bound);
      const { counts } = histogramOf(ms);
      expect([ms, counts.length - 1]).toEqual([ms, naive === -1 ? durationBounds.length : naive]);
      expect(countOfDurations({ counts, sumMs: 0 })).toBe(1);
    }
  });

  it("gives the same whether two are merged or all was counted in one", () => {
    const [a, b] = [
      [1, 50, 700],
      [3, 60, 2 ** 33, 0.2],
    ];
    const merged = mergeDurations(histogramOf(...(a ?? [])), histogramOf(...(b ?? [])));
    expect(merged).toEqual(histogramOf(...(a ?? []), ...(b ?? [])));
    expect(mergeDurations(noDurations, merged)).toEqual(merged);
  });

  it("tells quantiles as bounds, at most twice too large, and none of nothing", () => {
    const histogram = histogramOf(...Array.from({ length: 100 }, (_, i) => i + 1));
    expect(durationQuantile(histogram, 0.5)).toBe(64);
    expect(durationQuantile(histogram, 0.99)).toBe(128);
    expect(durationQuantile(histogram, 0)).toBe(1);
    expect(durationQuantile(histogramOf(2 ** 40), 0.5)).toBe(Number.POSITIVE_INFINITY);
    expect(durationQuantile(noDurations, 0.5)).toBeUndefined();
  });

  it("sums what it counted, and takes what is below 0 for 0", () => {
    expect(histogramOf(5, 6.5, -2).sumMs).toBe(11.5);
  });
});
