import type { ChunkCell, FeatureValue, RowsChunk } from "@tributary/shared/contracts/chunk";
import { tombstone } from "@tributary/shared/contracts/chunk";
import { limits } from "@tributary/shared/contracts/limits";
import type { RunManifest } from "./run-manifest.ts";

/**
 * The rows of a delta, or of a whole snapshot, as chunks: one partition each, in their order, cut by estimated size. The cut depends
 * on nothing but the rows, so a resumed run makes the same chunks.
 */
export interface DeltaRow extends Partial<RowVersion> {
  readonly partition: number;
  readonly key: string;
  /** One cell a feature of the manifest. */
  readonly cells: readonly ChunkCell[];
}

/** V2; of the manifest's run where a row does not say. */
export interface RowVersion {
  /** The interval's end, epoch ms. */
  readonly eventTime: number;
  readonly run: number;
}

export interface DeltaChunk {
  readonly chunk: RowsChunk;
  readonly ordinal: number;
  /** Position of its first row in the delta. */
  readonly firstRow: number;
}

export interface DeltaChunker {
  /** A chunk that is complete now that this row has come, if one is. */
  add(row: DeltaRow): DeltaChunk | undefined;
  /** The last chunk. */
  finish(): DeltaChunk | undefined;
}

interface Open {
  readonly partition: number;
  readonly firstRow: number;
  readonly keys: string[];
  readonly versions: RowVersion[];
  readonly cells: ChunkCell[][];
  bytes: number;
}

export function createDeltaChunker(manifest: RunManifest, producer: string): DeltaChunker {
  let open: Open | undefined;
  let ordinal = 0;
  let rows = 0;
  const close = (): DeltaChunk | undefined => {
    if (open === undefined) return undefined;
    const closed = { chunk: toChunk(manifest, producer, open, ordinal), ordinal, firstRow: open.firstRow };
    ordinal++;
    open = undefined;
    return closed;
  };
  return {
    add: (row) => {
      const bytes = rowBytes(row);
      const closed = open !== undefined && isFull(open, row, bytes) ? close() : undefined;
      open ??= emptyAt(row.partition, rows, manifest.features.length);
      open.keys.push(row.key);
      open.versions.push({ eventTime: row.eventTime ?? manifest.intervalEndMs, run: row.run ?? manifest.run });
      for (const [i, cell] of row.cells.entries()) open.cells[i]?.push(cell);
      open.bytes += bytes;
      rows++;
      return closed;
    },
    finish: close,
  };
}

function emptyAt(partition: number, firstRow: number, columns: number): Open {
  const cells = Array.from({ length: columns }, () => []);
  return { partition, firstRow, keys: [], versions: [], cells, bytes: 0 };
}

function isFull(open: Open, row: DeltaRow, bytes: number): boolean {
  return (
    open.partition !== row.partition ||
    open.keys.length >= limits.chunkRowsMax ||
    open.bytes + bytes > limits.chunkBytesTarget
  );
}

function toChunk(manifest: RunManifest, producer: string, open: Open, ordinal: number): RowsChunk {
  const zeros = new Array<number>(open.keys.length).fill(0);
  return {
    kind: "rows",
    lane: "batch",
    view: manifest.view,
    viewVersion: manifest.viewVersion,
    catalogVersion: manifest.catalogVersion,
    partition: open.partition,
    producer,
    run: { number: manifest.run, ordinal },
    keys: open.keys,
    // V2: event time = the interval's end, stamp = (run number, 0).
    eventTimes: open.versions.map(({ eventTime }) => eventTime),
    stamps: { incarnations: zeros, sequences: open.versions.map(({ run }) => run), minors: zeros },
    columns: manifest.features
      .map(({ name }, i) => ({ feature: name, cells: open.cells[i] ?? [] }))
      .filter(({ cells }) => cells.some((cell) => cell !== undefined)),
  };
}

/** About the bytes the row takes in a chunk, not less. */
function rowBytes(row: DeltaRow): number {
  return row.cells.reduce<number>((sum, cell) => sum + cellBytes(cell), Buffer.byteLength(row.key) + 5);
}

function cellBytes(cell: ChunkCell): number {
  if (cell === undefined || cell === tombstone) return 0.25;
  return valueBytes(cell as FeatureValue);
}

function valueBytes(value: FeatureValue): number {
  if (value === null || typeof value === "boolean") return 1;
  if (typeof value === "number" || typeof value === "bigint") return 9;
  if (typeof value === "string") return Buffer.byteLength(value) + 5;
  if (value instanceof Uint8Array) return value.length + 5;
  const parts = Array.isArray(value) ? value : Object.entries(value).flat();
  return parts.reduce<number>((sum, part) => sum + valueBytes(part as FeatureValue), 5);
}
