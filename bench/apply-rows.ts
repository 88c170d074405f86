import { encodeChunk } from "@tributary/shared/codec/chunk-codec";
import { defaultPartitions, type Lane } from "@tributary/shared/contracts/catalog";
import type { RowsChunk } from "@tributary/shared/contracts/chunk";
import { partitionOf } from "@tributary/shared/contracts/entity-key";
import { subjects } from "@tributary/shared/contracts/subjects";
import { count } from "@tributary/shared/definitions/aggregation";
import { entity } from "@tributary/shared/definitions/entity";
import { type AnyUse, featureService } from "@tributary/shared/definitions/feature-service";
import { int64, timestamp } from "@tributary/shared/definitions/feature-type";
import { eventSource, tableSource } from "@tributary/shared/definitions/source";
import { batchView, directView, streamView } from "@tributary/shared/definitions/view";
import { catalogOf } from "./read-dataset.ts";

/** One entity, and of each lane one view with ten int64 features. */
const thing = entity("thing", { key: { id: int64() } });
const tenOf = <T>(type: () => T): Record<string, T> =>
  Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`feature_${i}`, type()]));
const common = { entity: thing, freshness: "1d" } as const;
const table = tableSource("table", { format: "parquet", files: ["raw/*.parquet"], fields: { id: int64() } });
const clicks = eventSource("clicks", {
  fields: { id: int64(), at: timestamp() },
  eventTime: "at",
  disorder: "1m",
});
const views: readonly AnyUse[] = [
  batchView("by_batch", { ...common, from: [table], sql: "select 1", every: "1h", features: tenOf(int64) }),
  streamView("by_stream", {
    ...common,
    from: clicks,
    keys: { id: "id" },
    windows: ["1h"],
    hop: "1m",
    features: tenOf(count),
  }),
  directView("by_direct", { ...common, producers: ["bench"], features: tenOf(int64) }),
];
/** Reads all of them. */
export const applyService = "three_lanes";
const uses: AnyUse[] = views.map((view, i) => view.prefix(`view_${i}_`));
export const rowsCatalog = catalogOf([featureService(applyService, uses)]);

export interface RowsOptions {
  readonly rowsPerChunk: number;
  /** Of one measurement. */
  readonly rounds: number;
}

/** What is published: rounds of one chunk a partition, each with newer event times, so that every cell replaces one. */
export interface ApplyRows extends RowsOptions {
  /** By partition. */
  readonly keys: readonly (readonly string[])[];
  next(lane: Lane, rounds: number): readonly RowsChunk[];
}

export function applyRows(options: RowsOptions): ApplyRows {
  const keys = keysByPartition(options.rowsPerChunk);
  let round = 0;
  return {
    ...options,
    keys,
    next: (lane, rounds) => Array.from({ length: rounds }, () => roundOf(lane, keys, ++round)).flat(),
  };
}

export function encodedChunk(chunk: RowsChunk): { readonly subject: string; readonly data: Uint8Array } {
  return { subject: subjects.rows(chunk.lane, chunk.partition, chunk.view), data: encodeChunk(chunk) };
}

/** So many in each: the first numbers that fall into it. */
function keysByPartition(each: number): readonly (readonly string[])[] {
  const keys: string[][] = Array.from({ length: defaultPartitions }, () => []);
  let full = 0;
  for (let id = 0; full < keys.length; id++) {
    const own = keys[partitionOf(String(id), keys.length)];
    if (own === undefined || own.length === each) continue;
    own.push(String(id));
    if (own.length === each) full += 1;
  }
  return keys;
}

const firstMs = Date.UTC(2026, 0, 1);

function roundOf(lane: Lane, keys: ApplyRows["keys"], round: number): RowsChunk[] {
  const view = Object.values(rowsCatalog.views).find((one) => one.lane === lane);
  if (view === undefined) throw new Error(`no view of the ${lane} lane`);
  const header = { kind: "rows", lane, view: view.name, viewVersion: view.version, producer: "bench" } as const;
  return keys.map((own, partition): RowsChunk => {
    const every = <T>(value: T): T[] => own.map(() => value);
    const stamps = { incarnations: every(0), sequences: every(round), minors: every(0) };
    const cellsOf = (column: number) => own.map((_, row) => (round * 100_003 + column * 1_009 + row) % 1_000_000_000);
    return {
      ...header,
      catalogVersion: rowsCatalog.version,
      partition,
      keys: own,
      eventTimes: every(firstMs + round),
      ...(lane !== "direct" && { stamps }),
      columns: view.features.map(({ name }, column) => ({ feature: name, cells: cellsOf(column) })),
    };
  });
}
