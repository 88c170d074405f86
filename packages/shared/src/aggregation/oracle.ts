import type { Aggregation, StreamView } from "../contracts/catalog.ts";

/** The naive recount that the fast algebra is held against: every event, every window, no tiles. Kept for ever. */
export interface OracleEvent {
  readonly timeMs: number;
  readonly fields: Readonly<Record<string, number | null>>;
}

/** The view's values at `nowMs`, by a recount; percentiles exact. */
export function recount(
  view: Pick<StreamView, "windows" | "hopMs" | "aggregations">,
  events: readonly OracleEvent[],
  nowMs: number,
): (number | null)[] {
  return view.aggregations.flatMap((aggregation) =>
    view.windows.map(({ ms }) => {
      const start = Math.floor((nowMs - ms) / view.hopMs) * view.hopMs;
      const inside = events.filter((event) => event.timeMs >= start && event.timeMs < nowMs);
      return aggregate(aggregation, inside);
    }),
  );
}

function aggregate({ op, field, quantile }: Aggregation, events: readonly OracleEvent[]): number | null {
  const values = events
    .map((event) => (field === undefined ? 0 : event.fields[field]))
    .filter((value) => typeof value === "number")
    .sort((a, b) => a - b);
  if (op === "count") return values.length;
  if (values.length === 0) return null;
  switch (op) {
    case "sum":
      return exactSum(values);
    case "mean":
      return exactSum(values) / values.length;
    case "min":
      return values[0] ?? null;
    case "max":
      return values[values.length - 1] ?? null;
    case "percentile":
      return values[Math.floor((quantile ?? 0.5) * (values.length - 1))] ?? null;
    default:
      return op satisfies never;
  }
}

/** Small magnitudes first, so that the naive sum is a good one. */
function exactSum(values: readonly number[]): number {
  return [...values].sort((a, b) => Math.abs(a) - Math.abs(b)).reduce((total, value) => total + value, 0);
}
