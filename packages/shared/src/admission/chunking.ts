import type { RowsChunk } from "../contracts/chunk.ts";
import type { ClockRecord } from "../contracts/clock.ts";
import { limits } from "../contracts/limits.ts";
import type { AdmittedRow, WritePlan } from "./admission.ts";

/**
 * Admitted rows → chunks of one partition each. The same rows always give the same chunks in the same order, so that a
 * repeated attempt under an idempotency key can reuse its message ids.
 */
export interface DirectChunk {
  readonly chunk: RowsChunk;
  /** `rows[i]` is row i of the chunk: its index there is part of its version (V4). */
  readonly rows: readonly AdmittedRow[];
}

export interface ChunkOrigin {
  readonly producer: string;
  readonly clock: ClockRecord;
}

export function chunkRows(plan: WritePlan, rows: readonly AdmittedRow[], origin: ChunkOrigin): readonly DirectChunk[] {
  const groups = [...byPartition(rows)].sort(([a], [b]) => a - b);
  return groups.flatMap(([partition, group]) =>
    splitBySize(group).map((part) => ({ chunk: toChunk(plan, partition, part, origin), rows: part })),
  );
}

function byPartition(rows: readonly AdmittedRow[]): Map<number, AdmittedRow[]> {
  const groups = new Map<number, AdmittedRow[]>();
  for (const row of rows) {
    const group = groups.get(row.partition);
    if (group) group.push(row);
    else groups.set(row.partition, [row]);
  }
  return groups;
}

function splitBySize(rows: readonly AdmittedRow[]): readonly (readonly AdmittedRow[])[] {
  const parts: AdmittedRow[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const row of rows) {
    const part = parts.at(-1);
    if (part && part.length < limits.chunkRowsMax && bytes + row.bytes <= limits.chunkBytesTarget) {
      part.push(row);
      bytes += row.bytes;
    } else {
      parts.push([row]);
      bytes = row.bytes;
    }
  }
  return parts;
}

function toChunk(
  plan: WritePlan,
  partition: number,
  rows: readonly AdmittedRow[],
  { producer, clock }: ChunkOrigin,
): RowsChunk {
  const carried = plan.view.features.filter(({ name }) => rows.some((row) => row.cells.has(name)));
  return {
    kind: "rows",
    lane: "direct",
    view: plan.view.name,
    viewVersion: plan.view.version,
    catalogVersion: plan.catalogVersion,
    partition,
    producer,
    clock,
    keys: rows.map((row) => row.key),
    eventTimes: rows.map((row) => row.eventTime),
    columns: carried.map(({ name }) => ({ feature: name, cells: rows.map((row) => row.cells.get(name)) })),
  };
}
