import type { FeatureValue, Tombstone } from "../contracts/chunk.ts";
import { compareVersions, type Version } from "../contracts/version.ts";
import { ByteWriter } from "./byte-writer.ts";
import { writeValue } from "./cell-value.ts";

/** One feature's value for one entity, with its version and, for a scheduled row, what it becomes later. */
export interface Cell {
  readonly feature: string;
  readonly version: Version;
  readonly value: FeatureValue | Tombstone;
  readonly schedule?: CellSchedule;
}

export interface CellSchedule {
  /** Epoch ms beyond which nothing is known. */
  readonly untilMs: number;
  /** In order of time. */
  readonly changes: readonly CellChange[];
}

export interface CellChange {
  readonly atMs: number;
  readonly value: FeatureValue;
}

/**
 * The order of V1: the greater version wins; at an equal version the greater bytes of value and schedule, where the
 * tombstone's tag is the greatest. Total, so merging is commutative, associative and idempotent.
 */
export function compareCells(a: Cell, b: Cell): number {
  return compareVersions(a.version, b.version) || compareContents(a, b);
}

function compareContents(a: Cell, b: Cell): number {
  if (a.schedule === undefined && b.schedule === undefined && Object.is(a.value, b.value)) return 0;
  return Buffer.compare(contentBytes(a), contentBytes(b));
}

function contentBytes(cell: Cell): Buffer {
  const writer = new ByteWriter();
  writeValue(writer, cell.value);
  if (cell.schedule !== undefined) {
    writer.float64(cell.schedule.untilMs);
    for (const { atMs, value } of cell.schedule.changes) {
      writer.float64(atMs);
      writeValue(writer, value);
    }
  }
  return writer.copy();
}
