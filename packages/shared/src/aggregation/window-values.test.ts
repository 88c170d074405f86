import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Aggregation } from "../contracts/catalog.ts";
import { addEvent, emptyKeyState, isSpent, type KeyState, settle } from "./key-state.ts";
import { decodeKeyState, encodeKeyState } from "./key-state-codec.ts";
import { type OracleEvent, recount } from "./oracle.ts";
import { relativeAccuracy } from "./quantile-sketch.ts";
import { foreverMs, type WindowRow, windowRow } from "./row-schedule.ts";
import { type WindowLayout, windowLayout } from "./window-layout.ts";
import { windowValuesAt } from "./window-values.ts";

const aggregations: Aggregation[] = [
  { name: "n", op: "count" },
  { name: "nx", op: "count", field: "x" },
  { name: "sum", op: "sum", field: "x" },
  { name: "mean", op: "mean", field: "x" },
  { name: "min", op: "min", field: "x" },
  { name: "max", op: "max", field: "x" },
  { name: "p50", op: "percentile", field: "x", quantile: 0.5 },
  { name: "p90", op: "percentile", field: "x", quantile: 0.9 },
];

const value = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: -500, max: 500 }) },
  { weight: 2, arbitrary: fc.double({ min: -1e6, max: 1e6, noNaN: true }).map((x) => x + 0) },
  { weight: 1, arbitrary: fc.constant(null) },
);
const scenario = fc
  .record({
    hopMs: fc.constantFrom(1, 7, 10, 60),
    windows: fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 3 }),
    aligned: fc.boolean(),
    originMs: fc.constantFrom(0, -1_000, 986_000_000_000),
    events: fc.array(fc.record({ at: fc.integer({ min: -800, max: 800 }), x: value }), { maxLength: 60 }),
    nowAt: fc.integer({ min: -200, max: 400 }),
    settleLagMs: fc.constantFrom(0, 1, 50, 5_000),
  })
  .map(({ hopMs, windows, aligned, originMs, events, nowAt, settleLagMs }) => ({
    view: {
      hopMs,
      windows: windows.map((w, i) => ({ name: `w${i}`, ms: w * hopMs + (aligned ? 0 : 3) })),
      aggregations,
    },
    events: events.map(({ at, x }): OracleEvent => ({ timeMs: originMs + at, fields: { x } })),
    nowMs: originMs + nowAt,
    settleLagMs,
  }));
type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;

function stateOf(layout: WindowLayout, events: readonly OracleEvent[], settledMs: number): KeyState {
  const state = emptyKeyState();
  for (const { timeMs, fields } of events)
    addEvent(layout, state, { timeMs, values: layout.fields.map((name) => fields[name] ?? null) }, settledMs);
  return state;
}

function expectEqual(layout: WindowLayout, got: readonly (number | null)[], wanted: readonly (number | null)[]): void {
  layout.features.forEach((feature, i) => {
    const [a, b] = [got[i] ?? null, wanted[i] ?? null];
    if (a === null || b === null) expect([feature.name, a]).toEqual([feature.name, b]);
    else if (feature.name.startsWith("p"))
      expect(Math.abs(a - b)).toBeLessThanOrEqual(relativeAccuracy * 1.0001 * Math.abs(b) + 1e-9);
    else if (/^(sum|mean)/.test(feature.name)) expect(Math.abs(a - b)).toBeLessThanOrEqual(1e-9 * (1e6 + Math.abs(b)));
    else expect([feature.name, a]).toEqual([feature.name, b]);
  });
}

describe("windows", () => {
  it("equal a naive recount at any instant, for negative times, future events and any fold", () => {
    fc.assert(
      fc.property(scenario, ({ view, events, nowMs, settleLagMs }: Scenario) => {
        const layout = windowLayout(view);
        const state = stateOf(layout, events, nowMs - settleLagMs);
        settle(layout, state, nowMs - settleLagMs);
        expectEqual(layout, windowValuesAt(layout, state, [nowMs])[0] ?? [], recount(view, events, nowMs));
      }),
      { numRuns: 400 },
    );
  });

  it("take an event at the left edge and none at the right edge", () => {
    const view = { hopMs: 10, windows: [{ name: "w", ms: 20 }], aggregations: [{ name: "n", op: "count" as const }] };
    const layout = windowLayout(view);
    const at = (timeMs: number, nowMs: number) =>
      windowValuesAt(layout, stateOf(layout, [{ timeMs, fields: {} }], Number.NEGATIVE_INFINITY), [nowMs])[0]?.[0];
    expect([
      at(100, 100),
      at(100, 101),
      at(100, 129),
      at(100, 130),
      at(99, 120),
      at(-1, 0),
      at(-10, 19),
      at(-10, 20),
    ]).toEqual([0, 1, 1, 0, 0, 1, 1, 0]);
  });

  it("do not depend on the order of events, nor on where a state was stored and read again", () => {
    fc.assert(
      fc.property(scenario, fc.nat(), ({ view, events, nowMs, settleLagMs }: Scenario, seed) => {
        const layout = windowLayout(view);
        const settledMs = nowMs - settleLagMs;
        const cut = events.length === 0 ? 0 : seed % events.length;
        const shuffled = [...events.slice(cut), ...events.slice(0, cut).reverse()];
        let state = stateOf(layout, shuffled.slice(0, cut), settledMs);
        state = decodeKeyState(layout, encodeKeyState(layout, state));
        for (const { timeMs, fields } of shuffled.slice(cut))
          addEvent(layout, state, { timeMs, values: [fields.x ?? null] }, settledMs);
        expectEqual(layout, windowValuesAt(layout, state, [nowMs])[0] ?? [], recount(view, events, nowMs));
        const greatest = Math.max(Number.NEGATIVE_INFINITY, ...events.map((event) => event.timeMs));
        expect(state.greatestEventMs).toBe(greatest);
      }),
      { numRuns: 200 },
    );
  });

  it("are not changed by being read ten times", () => {
    const view = { hopMs: 10, windows: [{ name: "w", ms: 100 }], aggregations };
    const layout = windowLayout(view);
    const events = Array.from({ length: 50 }, (_, i) => ({ timeMs: i, fields: { x: i } }));
    const state = stateOf(layout, events, 30);
    const first = windowValuesAt(layout, state, [60]);
    for (let i = 0; i < 10; i++) expect(windowValuesAt(layout, state, [60])).toEqual(first);
  });

  it("keep a sum of extreme values readable", () => {
    const view = { hopMs: 10, windows: [{ name: "w", ms: 100 }], aggregations };
    const layout = windowLayout(view);
    const events = [1, 2, 3].map((timeMs) => ({ timeMs, fields: { x: 1.7e308 } }));
    const stored = decodeKeyState(layout, encodeKeyState(layout, stateOf(layout, events, 10)));
    expect(windowValuesAt(layout, stored, [20])[0]?.slice(0, 6)).toEqual([3, 3, null, null, 1.7e308, 1.7e308]);
  });
});

/** What a reader of the row sees at an instant: the values, with every step up to it. */
function readAt(row: WindowRow, instantMs: number): (number | null)[] {
  const values = [...row.values];
  for (const step of row.schedule.steps)
    if (step.atMs <= instantMs) for (const [column, changed] of step.changes) values[column] = changed as number | null;
  return values;
}

describe("a row's schedule", () => {
  it("tells the values of every instant up to its end, as a fresh evaluation would", () => {
    fc.assert(
      fc.property(scenario, ({ view, events, nowMs, settleLagMs }: Scenario) => {
        const layout = windowLayout(view);
        const state = stateOf(layout, events, nowMs - settleLagMs);
        settle(layout, state, nowMs - settleLagMs);
        const row = windowRow(layout, state, nowMs);
        expect(row.schedule.steps.length).toBeLessThanOrEqual(8);
        const end = Math.min(row.schedule.untilMs, nowMs + 3_000);
        const instants = Array.from({ length: end - nowMs + 1 }, (_, i) => nowMs + i);
        const fresh = windowValuesAt(layout, state, instants);
        const wrong = instants.find((instant, i) => JSON.stringify(readAt(row, instant)) !== JSON.stringify(fresh[i]));
        expect(wrong).toBeUndefined();
        if (row.schedule.untilMs === foreverMs) expect(readAt(row, foreverMs).slice(0, 1)).toEqual([0]);
      }),
      { numRuns: 150 },
    );
  });

  it("ends just before the first change it does not tell", () => {
    const view = {
      hopMs: 10,
      windows: [{ name: "w", ms: 1_000 }],
      aggregations: [{ name: "n", op: "count" as const }],
    };
    const layout = windowLayout(view);
    const events = Array.from({ length: 20 }, (_, i) => ({ timeMs: i * 10, fields: {} }));
    const row = windowRow(layout, stateOf(layout, events, 500), 500);
    expect(row.schedule.steps.map((step) => step.atMs)).toEqual([1010, 1020, 1030, 1040, 1050, 1060, 1070, 1080]);
    expect(row.schedule.untilMs).toBe(1089);
  });

  it("lists an event ahead of the clock as an entry", () => {
    const view = { hopMs: 10, windows: [{ name: "w", ms: 20 }], aggregations: [{ name: "n", op: "count" as const }] };
    const layout = windowLayout(view);
    const row = windowRow(layout, stateOf(layout, [{ timeMs: 105, fields: {} }], 100), 100);
    expect(row).toEqual({
      values: [0],
      schedule: {
        untilMs: foreverMs,
        steps: [
          { atMs: 106, changes: [[0, 1]] },
          { atMs: 130, changes: [[0, 0]] },
        ],
      },
    });
  });

  it("of a key whose events have all left leaves nothing to keep", () => {
    const layout = windowLayout({ hopMs: 10, windows: [{ name: "w", ms: 20 }], aggregations });
    const state = stateOf(layout, [{ timeMs: 5, fields: { x: 1 } }], 10);
    settle(layout, state, 29);
    expect(isSpent(state)).toBe(false);
    settle(layout, state, 30);
    expect([isSpent(state), state.greatestEventMs]).toEqual([true, 5]);
  });
});
