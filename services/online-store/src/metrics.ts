import { type Lane, lanes } from "@tributary/shared/contracts/catalog";
import type { ReadCacheStatus } from "@tributary/shared/contracts/status";
import type { Logger } from "@tributary/shared/runtime/logger";
import { FreshnessMonitor } from "./core/freshness-monitor.ts";
import { freshnessLines } from "./freshness-text.ts";
import { createWriteOutage, type WriteOutage } from "./handlers/write-outage.ts";
import { readCacheLines } from "./read-cache-text.ts";

/** Counters since start. */
export interface LaneCounters {
  chunks: number;
  rows: number;
  confirmations: number;
  /** Records that another writer had changed between read and write. */
  conflicts: number;
  /** Publish to applied, real ms, of the newest message. */
  lagMs: number;
}

export interface SweepCounters {
  rounds: number;
  /** Looked at. */
  records: number;
  /** Taken: withdrawn cells, view versions that no catalog names, records with nothing in them. */
  tombstones: number;
  sections: number;
  removed: number;
}

export interface JanitorCounters {
  /** Applied messages taken from the row streams. */
  removed: number;
}

export interface ReadCounters {
  reads: number;
  errors: number;
}

export interface Metrics {
  readonly lanes: Readonly<Record<Lane, LaneCounters>>;
  /** Of what Redis had lost and was read again. */
  readonly replays: Readonly<Record<Lane, LaneCounters>>;
  readonly outages: Readonly<Record<Lane, WriteOutage>>;
  readonly reads: ReadCounters;
  readonly sweep: SweepCounters;
  readonly janitor: JanitorCounters;
  readonly freshness: FreshnessMonitor;
  /** On-demand feature → values that could not be evaluated and were read as null. */
  readonly onDemandFailures: Map<string, number>;
}

export function createMetrics(logger: Logger): Metrics {
  const lane = (): LaneCounters => ({ chunks: 0, rows: 0, confirmations: 0, conflicts: 0, lagMs: 0 });
  return {
    lanes: { batch: lane(), stream: lane(), direct: lane() },
    replays: { batch: lane(), stream: lane(), direct: lane() },
    outages: {
      batch: createWriteOutage("batch", logger),
      stream: createWriteOutage("stream", logger),
      direct: createWriteOutage("direct", logger),
    },
    reads: { reads: 0, errors: 0 },
    janitor: { removed: 0 },
    sweep: { rounds: 0, records: 0, tombstones: 0, sections: 0, removed: 0 },
    freshness: new FreshnessMonitor(),
    onDemandFailures: new Map(),
  };
}

/** The labels are names of the catalog: as many as it has on-demand features. */
export function countOnDemandFailures({ onDemandFailures }: Metrics, feature: string, rows: number): void {
  onDemandFailures.set(feature, (onDemandFailures.get(feature) ?? 0) + rows);
}

/** As Prometheus text. */
export function metricsText(metrics: Metrics, rejected: (lane: Lane) => number, cache?: ReadCacheStatus): string {
  const counter = (name: string, value: (lane: Lane) => number): string[] => [
    `# TYPE tributary_store_${name} counter`,
    ...lanes.map((lane) => `tributary_store_${name}{lane="${lane}"} ${value(lane)}`),
  ];
  return [
    ...counter("chunks_total", (lane) => metrics.lanes[lane].chunks),
    ...counter("rows_total", (lane) => metrics.lanes[lane].rows),
    ...counter("confirmations_total", (lane) => metrics.lanes[lane].confirmations),
    ...counter("merge_conflicts_total", (lane) => metrics.lanes[lane].conflicts),
    ...counter("rejected_total", rejected),
    ...counter("replayed_chunks_total", (lane) => metrics.replays[lane].chunks),
    "# TYPE tributary_store_writes_waiting gauge",
    ...lanes.map((lane) => `tributary_store_writes_waiting{lane="${lane}"} ${metrics.outages[lane].current ? 1 : 0}`),
    "# TYPE tributary_store_lag_milliseconds gauge",
    ...lanes.map((lane) => `tributary_store_lag_milliseconds{lane="${lane}"} ${metrics.lanes[lane].lagMs}`),
    "# TYPE tributary_store_reads_total counter",
    `tributary_store_reads_total ${metrics.reads.reads}`,
    "# TYPE tributary_store_read_errors_total counter",
    `tributary_store_read_errors_total ${metrics.reads.errors}`,
    "# TYPE tributary_store_janitor_removed_total counter",
    `tributary_store_janitor_removed_total ${metrics.janitor.removed}`,
    ...Object.entries(metrics.sweep).flatMap(([name, value]) => [
      `# TYPE tributary_store_sweep_${name}_total counter`,
      `tributary_store_sweep_${name}_total ${value}`,
    ]),
    "# TYPE tributary_store_on_demand_failures_total counter",
    ...[...metrics.onDemandFailures].map(
      ([feature, values]) => `tributary_store_on_demand_failures_total{feature="${feature}"} ${values}`,
    ),
    ...readCacheLines(cache),
    ...freshnessLines(metrics.freshness.read()),
    "",
  ].join("\n");
}
