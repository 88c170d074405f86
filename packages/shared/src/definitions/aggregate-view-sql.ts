import type { Aggregation, BatchView, StreamView } from "../contracts/catalog.ts";
import type { AggregateOptions } from "./view-definition.ts";

/**
 * An aggregateView's windows as SQL for the batch lane, equal to what the stream lane says at the interval's end: windows
 * `[floor(end − window, hop), end)` in UTC milliseconds, nulls left out, percentiles by the rank floor(q · (n − 1)). Sums are
 * compensated; percentiles are exact, where the stream lane has a sketch. An entity without an event in the longest window
 * has no row.
 */
export interface AggregateWindows extends Pick<StreamView, "keys" | "windows" | "hopMs" | "aggregations"> {
  readonly where: WhereFunction | undefined;
}

type WhereFunction = NonNullable<NonNullable<BatchView["aggregate"]>["where"]>;

/** The filter as the function that the SQL calls, with the fields that it names; undefined without a filter. */
export function whereOf({ from, where }: Pick<AggregateOptions, "from" | "where">): WhereFunction | undefined {
  if (where === undefined) return undefined;
  const named = Object.entries(from.fields).filter(([name]) => new RegExp(`\\b${name}\\b`).test(where));
  const inputs = named.map(([name, { type, options }]) => ({ name, type, ...(options.of && { of: options.of }) }));
  return { expression: where, inputs };
}

/** The name of the filter in the SQL. */
export const whereFunctionName = "trib_where";

interface EventTable {
  readonly table: string;
  readonly eventTime: string;
}

export function aggregateSql(view: AggregateWindows, events: EventTable): string {
  const keys = Object.keys(view.keys).map(quoted);
  const features = view.aggregations.flatMap((aggregation) =>
    view.windows.map((window) =>
      windowedSql(aggregation, `${aggregation.name}_${window.name}`, inWindow(view, window)),
    ),
  );
  const states = features.map(({ state, name }) => `${state} AS ${stateName(name)}`);
  const results = features.map(({ result, name }) => `${result} AS ${quoted(name)}`);
  return `WITH events AS (
  SELECT ${eventColumns(view, events).join(", ")}
  FROM ${quoted(events.table)}
  WHERE ${conditions(view, events).join("\n    AND ")}
),
states AS (
  SELECT ${[...keys, ...states].join(",\n    ")}
  FROM events GROUP BY ${keys.join(", ")}
)
SELECT ${[...keys, ...results].join(",\n  ")}
FROM states`;
}

function eventColumns({ keys, aggregations }: AggregateWindows, { eventTime }: EventTable): string[] {
  const fields = [...new Set(aggregations.flatMap(({ field }) => field ?? []))];
  return [
    ...Object.entries(keys).map(([key, field]) => `${quoted(field)} AS ${quoted(key)}`),
    `epoch_ms(${quoted(eventTime)}) AS _at`,
    ...fields.map((field) => `${quoted(field)}::DOUBLE AS ${valueName(field)}`),
  ];
}

function conditions({ keys, windows, hopMs, where }: AggregateWindows, { eventTime }: EventTable): string[] {
  const longestMs = Math.max(...windows.map(({ ms }) => ms));
  return [
    `${quoted(eventTime)} >= make_timestamp_ms(${leftEdge(longestMs, hopMs)})`,
    `${quoted(eventTime)} < interval_end()`,
    ...Object.values(keys).map((field) => `${quoted(field)} IS NOT NULL`),
    ...(where === undefined
      ? []
      : [`${whereFunctionName}(${where.inputs.map(({ name }) => quoted(name)).join(", ")})`]),
  ];
}

interface WindowedSql {
  readonly name: string;
  /** An aggregate over the events. */
  readonly state: string;
  /** The feature, of its state. */
  readonly result: string;
}

function windowedSql({ op, field = "", quantile = 0.5 }: Aggregation, name: string, inside: string): WindowedSql {
  const [x, state] = [valueName(field), stateName(name)];
  const filter = `FILTER (WHERE ${inside})`;
  switch (op) {
    case "count":
      return { name, state: `count(*) ${filter}`, result: state };
    case "sum":
      return { name, state: `fsum(${x}) ${filter}`, result: finite(state, state) };
    case "mean": {
      const parts = `{'total': fsum(${x}) ${filter}, 'n': count(${x}) ${filter}}`;
      return { name, state: parts, result: finite(`${state}.total`, `${state}.total / ${state}.n`) };
    }
    case "min":
    case "max":
      return { name, state: `${op}(${x}) ${filter}`, result: state };
    case "percentile": {
      const sorted = `list_sort(list(${x}) FILTER (WHERE ${x} IS NOT NULL AND ${inside}))`;
      const rank = `floor('${quantile}'::DOUBLE * (len(${state}) - 1))::BIGINT`;
      return { name, state: sorted, result: `${state}[${rank} + 1]` };
    }
    default:
      return op satisfies never;
  }
}

/** A sum beyond float64 is null in either lane. */
function finite(total: string, result: string): string {
  return `CASE WHEN isfinite(${total}) THEN ${result} END`;
}

function inWindow({ hopMs }: AggregateWindows, { ms }: StreamView["windows"][number]): string {
  return `_at >= ${leftEdge(ms, hopMs)}`;
}

/** floor(end − window, hop), epoch ms; also before 1970. */
function leftEdge(windowMs: number, hopMs: number): string {
  const start = `(epoch_ms(interval_end()) - ${windowMs})`;
  return `(${start} - (${start} % ${hopMs} + ${hopMs}) % ${hopMs})`;
}

function valueName(field: string): string {
  return quoted(`_value_${field}`);
}

function stateName(feature: string): string {
  return quoted(`_state_${feature}`);
}

function quoted(name: string): string {
  return `"${name}"`;
}
