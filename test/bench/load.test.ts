import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { closedLoop, openLoop } from "../../bench/load.ts";
import { overFloor } from "../../bench/report.ts";
import { percentile, Samples } from "../../bench/samples.ts";

const summaryOf = (values: readonly number[]) => {
  const samples = new Samples();
  for (const value of values) samples.add(value);
  return samples.summary();
};

describe("percentiles", () => {
  it("are values that were measured: the least that enough of the others do not exceed", () => {
    const hundred = Array.from({ length: 100 }, (_, i) => i + 1);
    expect(summaryOf([...hundred].reverse())).toEqual({ n: 100, min: 1, p50: 50, p95: 95, p99: 99, max: 100 });
    expect(summaryOf([7])).toEqual({ n: 1, min: 7, p50: 7, p95: 7, p99: 7, max: 7 });
    expect(percentile([], 0.5)).toBeNaN();
  });

  it("agree with a naive count, for any values", () => {
    const values = Array.from({ length: 3_000 }, (_, i) => (i * 7_919) % 1_013);
    const { p95 } = summaryOf(values);
    const share = (limit: number) => values.filter((value) => value <= limit).length / values.length;
    expect(share(p95)).toBeGreaterThanOrEqual(0.95);
    expect(share(p95 - 1)).toBeLessThan(0.95);
  });

  it("are refused beyond the room that there is", () => {
    const samples = new Samples(2);
    for (const value of [1, 2]) samples.add(value);
    expect(() => samples.add(3)).toThrow("more than 2 samples");
  });

  it("are told over the floor of the same run", () => {
    const one = (ms: number) => ({ bench: "b", case: `c${ms}`, unit: "ms" as const, summary: summaryOf([ms]) });
    expect(overFloor(one(30), one(20)).floor).toEqual({ case: "c20", ratio: 1.5 });
  });
});

describe("a closed loop", () => {
  it("has never more requests under way than workers, and does them all", async () => {
    let [now, most] = [0, 0];
    const result = await closedLoop({ workers: 3, requests: 20 }, async (request) => {
      now += 1;
      most = Math.max(most, now);
      await pause(1);
      now -= 1;
      if (request === 5) throw new Error("one fails");
    });
    expect({ most, done: result.done, failed: result.failed }).toEqual({ most: 3, done: 19, failed: 1 });
    expect(result.latencies.count).toBe(19);
  });
});

describe("an open loop", () => {
  it("counts a request from when it was due: a stall shows in all that it delayed", async () => {
    const stallMs = 300;
    let stalled = false;
    const { latencies, done } = await openLoop({ perSecond: 100, requests: 20, inFlightMax: 100 }, async () => {
      if (stalled) return;
      stalled = true;
      const until = performance.now() + stallMs;
      while (performance.now() < until); // nobody can send meanwhile, this generator neither
    });
    expect(done).toBe(20);
    // 20 requests at 10 ms: each but the last few was due during the stall.
    expect(latencies.summary().p50).toBeGreaterThan(stallMs / 2);
  });

  it("refuses to pile up without end", async () => {
    const { done, failed } = await openLoop({ perSecond: 10_000, requests: 50, inFlightMax: 5 }, () => pause(200));
    expect(done).toBeGreaterThanOrEqual(5);
    expect(done + failed).toBe(50);
    expect(failed).toBeGreaterThan(0);
  });
});
