import type { BatchView, StreamView } from "../contracts/catalog.ts";
import { aggregateSql, whereOf } from "./aggregate-view-sql.ts";
import { compileStream } from "./compile-stream-view.ts";
import { type Duration, durationMs } from "./duration.ts";
import { declaredDuration } from "./duration-text.ts";
import { intervalFor, planLane } from "./lane-planner.ts";
import type { Problems } from "./problems.ts";
import type { TableSourceDefinition } from "./source.ts";
import type { AggregateOptions, ViewDefinition } from "./view-definition.ts";

/** A view of windows whose lane is chosen here: an ordinary stream or batch view in the catalog; problems are collected. */
export function compileAggregate(
  view: ViewDefinition,
  options: AggregateOptions,
  problems: Problems,
): StreamView | BatchView {
  const problem = (what: string) => void problems.add(view, what);
  const { history, deleteShareMax = 1, ...rest } = options;
  const stream = compileStream(view, { ...rest, hop: options.hop ?? defaultHop(options.windows, problem) }, problems);
  if (history !== undefined) checkHistory(options, history, problem);
  const { lane, rule, why } = planLane({
    freshnessMs: stream.freshnessMs,
    windowsMs: stream.windows.map(({ ms }) => ms),
    hopMs: stream.hopMs,
    hasHistory: history !== undefined,
  });
  if (lane === null) problem(`${why}; declare another freshness or hop, shorter windows, or a history`);
  if (lane !== "batch" || history === undefined) return { ...stream, laneRule: rule };
  return { ...batchOf(stream, options, history), deleteShareMax, laneRule: rule };
}

function batchOf(
  { lane: _, source, keys, where: _where, windows, hopMs, aggregations, ...head }: StreamView,
  options: AggregateOptions,
  history: TableSourceDefinition,
): Omit<BatchView, "deleteShareMax"> {
  const where = whereOf(options);
  const events = { table: history.name, eventTime: options.from.eventTime };
  return {
    lane: "batch",
    ...head,
    sql: aggregateSql({ keys, where, windows, hopMs, aggregations }, events),
    sources: [history.name],
    everyMs: intervalFor(head.freshnessMs) ?? 1,
    aggregate: { source, windows, hopMs, ...(where !== undefined && { where }) },
  };
}

const hops: readonly Duration[] = ["1s", "5s", "10s", "1m", "5m", "10m", "15m", "1h", "6h", "1d"];

function defaultHop(windows: readonly Duration[], problem: (what: string) => void): Duration {
  // A window that is no duration is a problem of its own.
  const lengths = windows.flatMap((window) => durationMs(window) ?? []);
  const divides = (hopMs: number) => lengths.every((ms) => ms % hopMs === 0 && 12 * hopMs <= ms);
  const found = hops.findLast((hop) => divides(durationMs(hop) ?? 1));
  if (found === undefined && lengths.length > 0)
    problem(
      `has windows that no usual hop divides; declare one, such as hop: "${declaredDuration(Math.min(...lengths))}"`,
    );
  return found ?? windows[0] ?? "1s";
}

/** Both lanes have to see the same events: what the view uses has the same name and kind in both. */
function checkHistory(
  options: AggregateOptions,
  history: TableSourceDefinition,
  problem: (what: string) => void,
): void {
  const { from, keys, features } = options;
  const aggregated = Object.values(features).flatMap(({ field }) => field ?? []);
  const filtered = whereOf(options)?.inputs.map(({ name }) => name) ?? [];
  for (const name of new Set([from.eventTime, ...Object.values(keys), ...filtered, ...aggregated])) {
    const [event, row] = [from.fields[name], history.fields[name]];
    if (event === undefined) continue;
    const uses = `uses field "${name}", which`;
    if (row === undefined)
      problem(`${uses} its history "${history.name}" does not have; declare it there under that name`);
    else if (kindOf(row.type) !== kindOf(event.type))
      problem(
        `${uses} is ${event.type} in source "${from.name}" and ${row.type} in its history "${history.name}"; declare the same type`,
      );
  }
}

/** Every number is aggregated and judged as a float64. */
function kindOf(type: string): string {
  return ["int32", "int64", "float32", "float64"].includes(type) ? "number" : type;
}
