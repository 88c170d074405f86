import { columnOfCells } from "@tributary/shared/merge/stored-column";
import { describe, expect, it } from "vitest";
import { FreshnessMonitor } from "../core/freshness-monitor.ts";
import type { PlannedCell, PlannedColumn } from "../core/read-plan.ts";
import { freshnessSampler } from "./sample-freshness.ts";

const nowMs = 10_000;

function cellOf(view: string, more: Partial<PlannedCell> = {}): PlannedCell {
  const rules = { viewVersion: 1, lane: "direct", freshnessMs: 1_000, ttlMs: 5_000, fallback: null } as const;
  return { fetch: 0, place: 0, view, ...rules, ...more };
}

const columnOf = (cell: PlannedCell, over: readonly PlannedCell[] = []): PlannedColumn => {
  return { name: "x", ...cell, over };
};
/** A value of this age, or nothing. */
const aged = (ageMs: number | null) =>
  ageMs === null ? undefined : { value: 1, eventTime: nowMs - ageMs, untilMs: null };

describe("the sample of a read", () => {
  it("takes one row, each as likely as any other, and one cell of each view however many features are read", () => {
    const monitor = new FreshnessMonitor();
    let draw = 0;
    const sample = freshnessSampler(monitor, () => draw);
    const columns = [cellOf("a"), cellOf("a", { place: 1 }), cellOf("b")].map((cell) => columnOf(cell));
    const stored = () => columnOfCells([aged(1), aged(100), aged(2_000), aged(null)], []);
    for (draw of [0, 0.25, 0.5, 0.9999]) sample({ columns, stored, nowMs });
    const all = { met: 2, missed: 1, absent: 1 };
    expect(monitor.read()).toMatchObject([
      { view: "a", ...all, ages: { sumMs: 2_101 } },
      { view: "b", ...all, ages: { sumMs: 2_101 } },
    ]);
  });

  it("judges as a read does: by confirmations, by the end of a schedule, and past the ttl", () => {
    const monitor = new FreshnessMonitor();
    const sample = freshnessSampler(monitor, () => 0);
    const columns = [columnOf(cellOf("a"))];
    const read = (untilMs: number | null, ageMs: number, confirmedAtMs?: number) =>
      sample({
        columns,
        stored: () => columnOfCells([{ value: 1, eventTime: nowMs - ageMs, untilMs }], [confirmedAtMs]),
        nowMs,
      });
    read(null, 4_000, nowMs - 10);
    expect(monitor.read()).toMatchObject([{ met: 1, missed: 0, ages: { sumMs: 10 } }]);
    read(nowMs - 1, 1);
    expect(monitor.read()).toMatchObject([{ met: 1, missed: 1 }]);
    read(null, 6_000);
    expect(monitor.read()).toMatchObject([{ met: 1, missed: 2, absent: 0, ages: { sumMs: 6_011 } }]);
  });

  it("counts the layers over a view for themselves, and nothing where nothing was fetched", () => {
    const monitor = new FreshnessMonitor();
    const sample = freshnessSampler(monitor, () => 0);
    const columns = [columnOf(cellOf("lower"), [cellOf("upper")]), columnOf(cellOf("elsewhere", { fetch: 1 }))];
    const stored = ({ view, fetch }: PlannedCell) =>
      columnOfCells(fetch === 1 ? [] : [aged(view === "upper" ? null : 1)], []);
    sample({ columns, stored, nowMs });
    expect(monitor.read()).toMatchObject([
      { view: "lower", met: 1 },
      { view: "upper", met: 0, missed: 0, absent: 1 },
    ]);
  });
});
