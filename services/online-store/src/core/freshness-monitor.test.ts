import type { View } from "@tributary/shared/contracts/catalog";
import { countOfDurations } from "@tributary/shared/contracts/duration-histogram";
import { mergeFreshness } from "@tributary/shared/contracts/freshness";
import { describe, expect, it } from "vitest";
import { FreshnessMonitor } from "./freshness-monitor.ts";

const scores = { view: "scores", lane: "direct", freshnessMs: 1_000 } as const;

describe("the freshness monitor", () => {
  it("counts what was met, what was missed, and what is not there as neither", () => {
    const monitor = new FreshnessMonitor();
    monitor.sawCell(scores, { ageMs: 10, fresh: true });
    monitor.sawCell(scores, { ageMs: 3_000, fresh: false });
    monitor.sawCell(scores, { ageMs: null, fresh: false });
    monitor.becameReadable(scores, 7);
    const [one] = monitor.read();
    expect(one).toMatchObject({ ...scores, met: 1, missed: 1, absent: 1 });
    expect(one?.ages).toMatchObject({ sumMs: 3_010 });
    expect(one?.latencies).toEqual({ counts: [0, 0, 0, 1], sumMs: 7 });
  });

  it("forgets a view that is gone or has changed its lane, and goes by a changed promise", () => {
    const monitor = new FreshnessMonitor();
    for (const view of ["scores", "gone", "moved"]) monitor.sawCell({ ...scores, view }, { ageMs: 1, fresh: true });
    monitor.keep({ scores: { lane: "direct" } as View, moved: { lane: "batch" } as View });
    monitor.sawCell({ ...scores, freshnessMs: 5 }, { ageMs: 6, fresh: false });
    expect(monitor.read()).toMatchObject([{ view: "scores", freshnessMs: 5, met: 1, missed: 1 }]);
    monitor.sawCell({ ...scores, lane: "batch" }, { ageMs: 1, fresh: true });
    expect(monitor.read()).toMatchObject([{ view: "scores", lane: "batch", met: 1, missed: 0 }]);
  });

  it("follows a thousand views and no more", () => {
    const monitor = new FreshnessMonitor();
    for (let i = 0; i < 1_001; i++) monitor.sawCell({ ...scores, view: `v${i}` }, { ageMs: 1, fresh: true });
    expect(monitor.read()).toHaveLength(1_000);
  });

  it("adds up with that of other instances, by view and lane", () => {
    const [a, b] = [new FreshnessMonitor(), new FreshnessMonitor()];
    a.sawCell(scores, { ageMs: 1, fresh: true });
    b.sawCell(scores, { ageMs: 500, fresh: true });
    b.sawCell({ ...scores, view: "other" }, { ageMs: 500, fresh: true });
    const merged = mergeFreshness([...a.read(), ...b.read()]);
    expect(merged.map(({ view, met }) => [view, met])).toEqual([
      ["other", 1],
      ["scores", 2],
    ]);
    expect(merged.map(({ ages }) => countOfDurations(ages))).toEqual([1, 2]);
  });
});
