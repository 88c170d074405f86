import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  cheaperInBatchMs,
  intervalFor,
  intervalsMs,
  type LaneFacts,
  laneRules,
  planLane,
  tilesPerKeyMax,
} from "./lane-planner.ts";

const [second, minute, hour, day] = [1_000, 60_000, 3_600_000, 86_400_000];
const facts = (change: Partial<LaneFacts>): LaneFacts => ({
  freshnessMs: 10 * minute,
  windowsMs: [15 * minute, hour],
  hopMs: minute,
  hasHistory: true,
  ...change,
});

describe("the lane planner", () => {
  it.each<[string, Partial<LaneFacts>, "batch" | "stream" | null, string]>([
    [
      "only-stream-sees",
      { hasHistory: false, freshnessMs: day },
      "stream",
      "only the stream lane sees these events: the view has no history",
    ],
    [
      "too-fresh-for-batch",
      { freshnessMs: 3 * minute - 1 },
      "stream",
      "batch cannot keep the freshness: least interval 1m + twice the assumed run 1m = 3m, more than freshness 2m 59s 999ms",
    ],
    [
      "too-long-for-stream",
      { windowsMs: [hour, 28 * day] },
      "batch",
      "the stream lane cannot keep the windows well: window 28d / hop 1m = 40320 tiles a key, more than 2000; it runs every 5m",
    ],
    [
      "cheaper-in-batch",
      { freshnessMs: hour },
      "batch",
      "both lanes can, and batch costs less: freshness 1h is 1h or more; it runs every 30m",
    ],
    [
      "cheaper-in-stream",
      { freshnessMs: hour - 1 },
      "stream",
      "both lanes can, and the stream lane costs less: freshness 59m 59s 999ms is less than 1h, for which batch would run every 30m",
    ],
    [
      "no-lane",
      { hasHistory: false, windowsMs: [28 * day] },
      null,
      "neither lane can: stream: window 28d / hop 1m = 40320 tiles a key, more than 2000; batch: the view has no history to compute from",
    ],
    [
      "no-lane",
      { freshnessMs: second },
      null,
      "neither lane can: stream: coalescing 200ms + mark 1s + confirmation seen 200ms = 1s 400ms, more than freshness 1s; " +
        "batch: least interval 1m + twice the assumed run 1m = 3m, more than freshness 1s",
    ],
  ])("decides by %s for %j", (rule, change, lane, why) => {
    expect(planLane(facts(change))).toEqual({ rule, lane, why });
  });

  it.each<[string, Partial<LaneFacts>, string]>([
    ["the least freshness of batch", { freshnessMs: 3 * minute, windowsMs: [28 * day] }, "too-long-for-stream"],
    ["below it", { freshnessMs: 3 * minute - 1, windowsMs: [28 * day] }, "no-lane"],
    ["the most tiles of stream", { windowsMs: [tilesPerKeyMax * minute] }, "cheaper-in-stream"],
    ["one more", { windowsMs: [(tilesPerKeyMax + 1) * minute] }, "too-long-for-stream"],
    ["the least freshness of stream", { freshnessMs: 1_400 }, "too-fresh-for-batch"],
    ["below that", { freshnessMs: 1_399 }, "no-lane"],
    ["the threshold of cost", { freshnessMs: cheaperInBatchMs }, "cheaper-in-batch"],
    ["below that too", { freshnessMs: cheaperInBatchMs - 1 }, "cheaper-in-stream"],
  ])("knows its bounds: %s", (_bound, change, rule) => {
    expect(planLane(facts(change)).rule).toBe(rule);
  });

  const anyFacts = fc.record({
    freshnessMs: fc.oneof(fc.integer({ min: 1, max: 5 * minute }), fc.integer({ min: 1, max: 40 * day })),
    windowsMs: fc.array(fc.integer({ min: second, max: 400 * day }), { minLength: 1, maxLength: 5 }),
    hopMs: fc.integer({ min: 1, max: day }),
    hasHistory: fc.boolean(),
  });

  it("has for every view exactly one rule that applies before the last", () => {
    fc.assert(
      fc.property(anyFacts, (any) => {
        const applying = laneRules.slice(0, -1).filter(({ applies }) => applies(any));
        expect(applying.length).toBeLessThanOrEqual(1);
        expect(planLane(any).rule).toBe((applying[0] ?? laneRules.at(-1))?.id);
      }),
    );
  });

  it("never gives a lane that cannot keep the freshness, and never batch without a history", () => {
    fc.assert(
      fc.property(anyFacts, (any) => {
        const { lane } = planLane(any);
        const everyMs = intervalFor(any.freshnessMs);
        if (lane === "batch")
          expect(any.hasHistory && (everyMs ?? Infinity) + 2 * minute <= any.freshnessMs).toBe(true);
        if (lane === "stream") expect(any.freshnessMs).toBeGreaterThanOrEqual(1_400);
        if (lane === null && any.hasHistory) expect(everyMs).toBeUndefined();
      }),
    );
  });

  it("runs as seldom as the freshness allows with room for a slow run", () => {
    expect([3, 10, 15, 30, 60, 180, 1_440, 99_999].map((minutes) => intervalFor(minutes * minute))).toEqual(
      [1, 5, 10, 15, 30, 120, 720, 1_440].map((minutes) => minutes * minute),
    );
    expect(intervalFor(3 * minute - 1)).toBeUndefined();
    expect(intervalsMs.every((ms) => day % ms === 0)).toBe(true);
  });
});
