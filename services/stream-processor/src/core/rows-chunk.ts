import type { RowsChunk } from "@tributary/shared/contracts/chunk";
import type { KeyEntry, PartitionState, ViewState } from "./partition-state.ts";
import type { Told } from "./row-emission.ts";

/** A row that is to be published. */
export interface RowToTell {
  readonly entry: KeyEntry;
  readonly told: Told;
}

/** Rows in a chunk: a row of fifteen features with eight steps is about 1.3 KB. */
const rowsPerChunk = 100;

export interface ChunkOrigin {
  readonly producer: string;
  readonly fence: number;
}

/** Chunks of one view each, with every row's version (V3) and schedule. */
export function rowsChunks(
  state: PartitionState,
  rows: readonly RowToTell[],
  origin: ChunkOrigin,
): { chunk: RowsChunk; rows: readonly RowToTell[] }[] {
  const byView = new Map<ViewState, RowToTell[]>();
  for (const row of rows) {
    const list = byView.get(row.entry.view);
    if (list) list.push(row);
    else byView.set(row.entry.view, [row]);
  }
  return [...byView].flatMap(([view, list]) =>
    slices(list).map((part) => ({ chunk: chunkOf(state, view, part, origin), rows: part })),
  );
}

/** The chunk's rows in two halves, for a chunk above the size limit. */
export function halves(rows: readonly RowToTell[]): readonly (readonly RowToTell[])[] {
  const middle = Math.ceil(rows.length / 2);
  return [rows.slice(0, middle), rows.slice(middle)];
}

function slices(rows: readonly RowToTell[]): RowToTell[][] {
  const out: RowToTell[][] = [];
  for (let at = 0; at < rows.length; at += rowsPerChunk) out.push(rows.slice(at, at + rowsPerChunk));
  return out;
}

function chunkOf(
  state: PartitionState,
  { view, layout }: ViewState,
  rows: readonly RowToTell[],
  { producer, fence }: ChunkOrigin,
): RowsChunk {
  return {
    kind: "rows",
    lane: "stream",
    view: view.name,
    viewVersion: view.version,
    catalogVersion: state.catalog.version,
    partition: state.partition,
    producer,
    fence,
    keys: rows.map(({ entry }) => entry.key),
    eventTimes: rows.map(({ told }) => told.version.eventTime),
    stamps: {
      incarnations: rows.map(({ told }) => told.version.incarnation),
      sequences: rows.map(({ told }) => told.version.sequence),
      minors: rows.map(({ told }) => told.version.minor),
    },
    columns: layout.features.map((feature, i) => ({
      feature: feature.name,
      cells: rows.map(({ told }) => told.row.values[i] ?? null),
    })),
    schedules: rows.map(({ told }) => told.row.schedule),
  };
}
