import { type OracleEvent, recount } from "@tributary/shared/aggregation/oracle";
import { relativeAccuracy } from "@tributary/shared/aggregation/quantile-sketch";
import { expect } from "vitest";
import { airports, viewOf } from "./definitions.ts";
import type { NaiveStore } from "./naive-store.ts";
import { startMs } from "./rig.ts";

export interface Flight {
  readonly origin: string;
  readonly destination: string;
  readonly delay: number;
  readonly at: number;
}

export function flight(minutesAgo: number, delay: number, route = "ORD-LAX"): Flight {
  return { origin: route.slice(0, 3), destination: route.slice(4), delay, at: startMs - minutesAgo * 60_000 };
}

const codes = ["ORD", "LAX", "ATL", "DFW", "SEA", "DEN", "BOS"];

/** The same at each run; up to eighty minutes old, out of order. */
export function randomFlights(count: number, seed = 7): Flight[] {
  let state = seed;
  const next = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  return Array.from({ length: count }, () => ({
    origin: codes[next(codes.length)] as string,
    destination: codes[next(codes.length)] as string,
    delay: next(200) - 40,
    at: startMs - 1 - next(80 * 60_000),
  }));
}

/** Every airport of both views, as stored, against a recount of the events. */
export function expectRecount(
  store: NaiveStore,
  flights: readonly Flight[],
  instantMs: number,
  except: readonly string[] = [],
): void {
  for (const [name, field] of [
    ["departures", "origin"],
    ["arrivals", "destination"],
  ] as const) {
    const view = viewOf(airports(), name);
    for (const code of new Set(flights.map((one) => one[field]))) {
      if (except.includes(code)) continue;
      const events = flights
        .filter((one) => one[field] === code)
        .map(({ at, delay }): OracleEvent => ({ timeMs: at, fields: { delay } }));
      const wanted = recount(view, events, instantMs);
      const got = store.readAt(name, code, instantMs);
      expect(got, `${name} ${code} at ${instantMs}`).toBeDefined();
      view.features.forEach((feature, i) => {
        expectNear(`${name}.${feature.name} of ${code}`, got?.[feature.name], wanted[i] ?? null);
      });
    }
  }
}

function expectNear(what: string, got: number | null | undefined, wanted: number | null): void {
  if (typeof got !== "number" || wanted === null) {
    expect([what, got]).toEqual([what, wanted]);
    return;
  }
  const allowed = what.includes("P90")
    ? relativeAccuracy * 1.001 * Math.abs(wanted)
    : 1e-9 * Math.max(1, Math.abs(wanted));
  expect(Math.abs(got - wanted), `${what}: ${got} for ${wanted}`).toBeLessThanOrEqual(allowed);
}
