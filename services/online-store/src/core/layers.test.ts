import { type FeatureValue, type Tombstone, tombstone } from "@tributary/shared/contracts/chunk";
import { buildColumn } from "@tributary/shared/merge/read-column";
import { type CurrentCell, columnOfCells } from "@tributary/shared/merge/stored-column";
import { describe, expect, it } from "vitest";
import type { PlannedCell, PlannedColumn } from "./read-plan.ts";

const nowMs = 1_000_000;
const ttlMs = 1_000;

/** Every state that a stored cell of a view with a ttl can be in. */
const states = {
  "never written": undefined,
  withdrawn: cell(tombstone, 0),
  "withdrawn long ago": cell(tombstone, ttlMs + 1),
  "a value": cell("v", 0),
  "a value at its ttl": cell("v", ttlMs),
  "a value past its ttl": cell("v", ttlMs + 1),
  NULL: cell(null, 0),
  "NULL at its ttl": cell(null, ttlMs),
  "NULL past its ttl": cell(null, ttlMs + 1),
};
type State = keyof typeof states;
const names = Object.keys(states) as State[];
const living: readonly State[] = ["a value", "a value at its ttl", "NULL", "NULL at its ttl"];
const expired: readonly State[] = ["a value past its ttl", "NULL past its ttl"];

function cell(value: FeatureValue | Tombstone, ageMs: number): CurrentCell {
  return { value, eventTime: nowMs - ageMs, untilMs: null };
}

function planned(view: string, more: Partial<PlannedCell> = {}): PlannedCell {
  const lane = view === "lowest" ? "batch" : "direct";
  return { view, lane, fetch: 0, place: 0, viewVersion: 1, freshnessMs: 500, ttlMs, fallback: "default", ...more };
}

interface Stored {
  readonly plan: PlannedCell;
  readonly state: State;
}

/** One read of one row; the layers uppermost first. */
function read(layers: readonly Stored[], more: { detail?: boolean; confirmed?: Record<string, number> } = {}) {
  const column = { name: "f", ...layers.at(-1)?.plan, over: layers.slice(0, -1).map(({ plan }) => plan) };
  const stored = ({ view }: PlannedCell) => {
    const cells = layers.filter(({ plan }) => plan.view === view).map(({ state }) => states[state]);
    return columnOfCells(cells, [more.confirmed?.[view]]);
  };
  return buildColumn(column as PlannedColumn, { nowMs, detail: more.detail ?? true, stored });
}

/** What a layer alone shows. */
function alone(state: State) {
  const isLiving = living.includes(state);
  const status = expired.includes(state) ? "OUTSIDE_MAX_AGE" : isLiving ? "PRESENT" : "NOT_FOUND";
  return [
    isLiving && state.startsWith("a value") ? "v" : "default",
    isLiving && state.startsWith("NULL") ? "NULL_VALUE" : status,
  ];
}

describe("layers (L1)", () => {
  const pairs = names.flatMap((upper) => names.map((lower) => [upper, lower] as const));
  it.each(pairs)("%s over %s", (upper, lower) => {
    const column = read([
      { plan: planned("upper"), state: upper },
      { plan: planned("lowest"), state: lower },
    ]);
    const counts = living.includes(upper);
    expect([column.values[0], column.statuses?.[0]]).toEqual(alone(counts ? upper : lower));
    expect([column.lanes, column.views]).toEqual(counts ? [["direct"], ["upper"]] : [["batch"], ["lowest"]]);
    expect([column.lane, column.view]).toEqual(["batch", "lowest"]);
  });

  it("three high: the uppermost that lives counts, and with none the lowest says why", () => {
    for (const top of names)
      for (const middle of names)
        for (const lowest of names) {
          const layers = Object.entries({ top, middle, lowest }).map(([view, state]) => ({
            plan: planned(view),
            state,
          }));
          const expected = living.includes(top) ? "top" : living.includes(middle) ? "middle" : "lowest";
          const column = read(layers);
          expect([column.views, column.values, column.statuses], `${top}, ${middle}, ${lowest}`).toEqual([
            [expected],
            ...alone({ top, middle, lowest }[expected]).map((one) => [one]),
          ]);
        }
  });

  it("count by their own ttl, and for ever without one", () => {
    const over = (ttl: number | null) =>
      read([
        { plan: planned("upper", { ttlMs: ttl }), state: "a value past its ttl" },
        { plan: planned("lowest"), state: "NULL" },
      ]).views;
    expect([over(null), over(ttlMs + 1), over(ttlMs)]).toEqual([["upper"], ["upper"], ["lowest"]]);
  });

  it("bring their own freshness, age and confirmations", () => {
    const layers = [
      { plan: planned("upper", { freshnessMs: 999 }), state: "a value at its ttl" },
      { plan: planned("lowest"), state: "a value past its ttl" },
    ] as const;
    expect(read(layers)).toMatchObject({ agesMs: [ttlMs], fresh: [false], eventTimes: [nowMs - ttlMs] });
    expect(read(layers, { confirmed: { upper: nowMs - 999 } })).toMatchObject({ agesMs: [999], fresh: [true] });
    expect(read(layers, { confirmed: { lowest: nowMs } })).toMatchObject({ views: ["upper"], agesMs: [ttlMs] });
    expect(read(layers.slice(1), { confirmed: { lowest: nowMs } })).toMatchObject({ agesMs: [0], fresh: [true] });
  });

  it("say what a value comes from only when asked, and only where there are any", () => {
    const layers = names.slice(0, 2).map((state, i) => ({ plan: planned(["upper", "lowest"][i] ?? ""), state }));
    expect(read(layers, { detail: false })).toEqual({ name: "f", values: ["default"] });
    expect(read(layers.slice(1))).not.toHaveProperty("views");
    expect(read(layers.slice(1))).not.toHaveProperty("lanes");
  });
});
