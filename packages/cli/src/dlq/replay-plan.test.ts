import type { RowsChunk } from "@tributary/shared/contracts/chunk";
import { describe, expect, it } from "vitest";
import { withOriginalVersions } from "./replay-plan.ts";

const chunk: RowsChunk = {
  kind: "rows",
  lane: "direct",
  view: "congestion",
  viewVersion: 1,
  catalogVersion: 1,
  partition: 0,
  producer: "test",
  keys: ["A", "B"],
  eventTimes: [5, null],
  columns: [],
};
const original = { incarnation: 100, sequence: 7, timestampMs: 2_000 };

describe("a replayed chunk", () => {
  it("gets the stamps of its original message, and its broker time through the clock it names", () => {
    const clock = { simulatedMs: 50_000, realMs: 1_000, rate: 2 };
    expect(withOriginalVersions({ ...chunk, clock }, original)).toMatchObject({
      eventTimes: [5, 52_000],
      stamps: { incarnations: [100, 100], sequences: [7, 7], minors: [0, 1] },
    });
  });

  it("keeps stamps and event times that it carries, whatever is known of the original", () => {
    const stamps = { incarnations: [1, 1], sequences: [2, 2], minors: [3, 4] };
    const whole: RowsChunk = { ...chunk, lane: "batch", eventTimes: [5, 6], stamps };
    expect(withOriginalVersions(whole, { incarnation: undefined, sequence: 7, timestampMs: undefined })).toBe(whole);
  });

  it("is refused where its version cannot be known", () => {
    const gone = { ...original, timestampMs: undefined };
    expect(() => withOriginalVersions(chunk, gone)).toThrow(/no longer in its stream/);
    const timed = { ...chunk, eventTimes: [5, 6] };
    expect(withOriginalVersions(timed, gone).stamps?.sequences).toEqual([7, 7]);
    expect(() => withOriginalVersions(timed, { ...gone, incarnation: undefined })).toThrow(/made again/);
    expect(() => withOriginalVersions({ ...chunk, lane: "stream" }, original)).toThrow(/republish/);
  });
});
