import { type ChunkCell, tombstone } from "@tributary/shared/contracts/chunk";
import { cellReader, plainColumn } from "./cell-value.ts";
import { runColumn, timeColumn } from "./change-detection.ts";
import type { DeltaRow } from "./delta-chunks.ts";
import type { EngineBatch } from "./engine.ts";
import type { RunManifest } from "./run-manifest.ts";
import { identifier } from "./sql-text.ts";

/**
 * A published snapshot as rows to send again (R5): every cell with its own version, so that a store that has it makes nothing of it. A chunk has one
 * version a row; a key whose cells differ in theirs comes in several rows. A key that is gone comes as tombstones.
 */
const fixedColumns = 3;
const columnsOfCell = 3;

/** All rows of the file, in the order in which chunks are cut. @param file as a SQL literal */
export function snapshotQuery({ features }: Pick<RunManifest, "features">, file: string): string {
  const cells = features.flatMap((feature) => [
    plainColumn(feature, identifier(feature.name)),
    `${timeColumn(feature.name)}::DOUBLE`,
    `${runColumn(feature.name)}::DOUBLE`,
  ]);
  return `SELECT _partition, _key, _gone, ${cells.join(", ")} FROM read_parquet(${file}) ORDER BY _partition, _key`;
}

/** Reads what that query gives. */
export function snapshotReader({ features }: Pick<RunManifest, "features">) {
  const readers = features.map(cellReader);
  return function* ({ rows, columns }: EngineBatch): Generator<readonly DeltaRow[]> {
    const [partitions, keys, gone] = columns;
    for (let row = 0; row < rows; row++) {
      const isGone = gone?.[row] === true;
      const cells = readers.map((read, i): VersionedCell | undefined => {
        const [value, time, run] = columns.slice(fixedColumns + columnsOfCell * i).map((column) => column[row]);
        // Never published.
        if (typeof time !== "number" || typeof run !== "number") return undefined;
        return { cell: isGone ? tombstone : read(value), eventTime: time, run };
      });
      yield rowsByVersion({ partition: Number(partitions?.[row]), key: String(keys?.[row]) }, cells);
    }
  };
}

export interface VersionedCell {
  readonly cell: ChunkCell;
  readonly eventTime: number;
  readonly run: number;
}

/** One row a version, in the order in which the cells first name it. */
export function rowsByVersion(
  of: Pick<DeltaRow, "partition" | "key">,
  cells: readonly (VersionedCell | undefined)[],
): readonly DeltaRow[] {
  const rows = new Map<string, DeltaRow & { readonly cells: ChunkCell[] }>();
  for (const [i, one] of cells.entries()) {
    if (one === undefined) continue;
    const { eventTime, run, cell } = one;
    const id = `${eventTime} ${run}`;
    const row = rows.get(id) ?? { ...of, eventTime, run, cells: cells.map((): ChunkCell => undefined) };
    rows.set(id, row);
    row.cells[i] = cell;
  }
  return [...rows.values()];
}
