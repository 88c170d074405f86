import { type Chunk, type ChunkCell, tombstone } from "@tributary/shared/contracts/chunk";
import { compareVersions, type Version } from "@tributary/shared/contracts/version";

/** What a reader would see after these chunks: the greatest version of every cell wins, in any order. */
export type Served = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export interface Held {
  readonly version: Version;
  readonly cell: ChunkCell;
}

export function serve(chunks: readonly Chunk[]): Served {
  const rows = [...heldBy(chunks)].map(([key, row]) => [key, visible(row)] as const);
  return Object.fromEntries(rows.filter(([, row]) => Object.keys(row).length > 0));
}

/** Key → feature → its cell with the version, tombstones too. */
export function heldBy(chunks: readonly Chunk[]): ReadonlyMap<string, ReadonlyMap<string, Held>> {
  const cells = new Map<string, Map<string, Held>>();
  for (const chunk of chunks) if (chunk.kind === "rows") applyRows(cells, chunk);
  return cells;
}

function applyRows(cells: Map<string, Map<string, Held>>, chunk: Extract<Chunk, { kind: "rows" }>): void {
  for (const [i, key] of chunk.keys.entries()) {
    const version: Version = {
      eventTime: chunk.eventTimes[i] as number,
      incarnation: chunk.stamps?.incarnations[i] as number,
      sequence: chunk.stamps?.sequences[i] as number,
      minor: chunk.stamps?.minors[i] as number,
    };
    const row = cells.get(key) ?? new Map<string, Held>();
    cells.set(key, row);
    for (const column of chunk.columns) {
      const cell = column.cells[i];
      const held = row.get(column.feature);
      if (cell !== undefined && (held === undefined || compareVersions(version, held.version) > 0))
        row.set(column.feature, { version, cell });
    }
  }
}

function visible(row: ReadonlyMap<string, Held>): Record<string, unknown> {
  return Object.fromEntries(
    [...row].filter(([, { cell }]) => cell !== tombstone).map(([name, { cell }]) => [name, cell]),
  );
}

export const rowsPublished = (chunks: readonly Chunk[]): number =>
  chunks.reduce((sum, chunk) => sum + (chunk.kind === "rows" ? chunk.keys.length : 0), 0);
