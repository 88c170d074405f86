import { type FeatureValue, tombstone } from "../contracts/chunk.ts";
import type { Status } from "../contracts/read.ts";
import { type StoredColumn, valueAt } from "./stored-column.ts";

/** How a view's cells are read. */
export interface ReadRules {
  readonly freshnessMs: number;
  readonly ttlMs: number | null;
  /** What stands for a value that is null or missing. */
  readonly fallback: FeatureValue;
}

/** A column as a reader sees it at one instant of the clock, one entry a row. */
export interface ViewedColumn {
  readonly values: FeatureValue[];
  readonly statuses: Status[];
  /** Epoch ms; null where nothing is stored. */
  readonly eventTimes: (number | null)[];
  readonly agesMs: (number | null)[];
  readonly fresh: boolean[];
}

/**
 * Age counts from the later of the event time and the confirmation ("unchanged is not unknown"). Past its ttl a value is
 * hidden; past the end of its schedule it is shown but not fresh (L2). A value from ahead of the clock has age 0.
 */
export function viewColumn(rules: ReadRules, column: StoredColumn, nowMs: number): ViewedColumn {
  const rows = column.records.length;
  const viewed: ViewedColumn = {
    values: new Array(rows),
    statuses: new Array(rows),
    eventTimes: new Array(rows),
    agesMs: new Array(rows),
    fresh: new Array(rows),
  };
  for (let row = 0; row < rows; row++) viewCell(rules, { column, row, nowMs }, viewed);
  return viewed;
}

/** The values alone of `viewColumn`: most reads ask for no more, and it is the inmost loop of the store. */
export function viewValues({ fallback, ttlMs }: ReadRules, column: StoredColumn, nowMs: number): FeatureValue[] {
  const { offset, records } = column;
  const shown: FeatureValue[] = new Array(records.length);
  for (let row = 0; row < shown.length; row++) {
    const record = records[row] as number;
    const value = valueAt(column, offset + record);
    const isHidden = value === undefined || value === tombstone || value === null;
    shown[row] = isHidden || (ttlMs !== null && ageOf(column, record, nowMs) > ttlMs) ? fallback : value;
  }
  return shown;
}

export interface NumbersView {
  readonly nowMs: number;
  /** Gets one number a row, the first at `from`. */
  readonly into: Float64Array;
  readonly from: number;
}

/**
 * The same of a column that holds only numbers and nulls, as most do, with NaN for null; false where it holds anything else. So
 * no value becomes an object on its way.
 */
export function viewNumbers(
  { fallback, ttlMs }: ReadRules,
  column: StoredColumn,
  { nowMs, into, from }: NumbersView,
): boolean {
  const { numbers, others, offset, records } = column;
  if (fallback !== null && typeof fallback !== "number") return false;
  const shownFallback = fallback ?? Number.NaN;
  for (let row = 0; row < records.length; row++) {
    const record = records[row] as number;
    const at = offset + record;
    const number = numbers[at] as number;
    if (Number.isNaN(number)) {
      const other = others === null ? null : others[at];
      if (other !== undefined && other !== null && other !== tombstone) return false;
      into[from + row] = shownFallback;
    } else if (ttlMs !== null && ageOf(column, record, nowMs) > ttlMs) into[from + row] = shownFallback;
    else into[from + row] = number;
  }
  return true;
}

/** Whether what `viewNumbers` would give is what is stored: nothing is hidden, and each row is about a record of its own. */
export function isShownAsStored(
  { fallback, ttlMs }: ReadRules,
  { others, records, confirmedAtMs }: StoredColumn,
): boolean {
  return fallback === null && ttlMs === null && others === null && records.length === confirmedAtMs.length;
}

function ageOf({ eventTimes, offset, confirmedAtMs }: StoredColumn, record: number, nowMs: number): number {
  return Math.max(0, nowMs - Math.max(eventTimes[offset + record] as number, confirmedAtMs[record] as number));
}

interface Place {
  readonly column: StoredColumn;
  readonly row: number;
  readonly nowMs: number;
}

function viewCell(rules: ReadRules, { column, row, nowMs }: Place, viewed: ViewedColumn): void {
  const record = column.records[row] as number;
  const value = valueAt(column, column.offset + record);
  const isFound = value !== undefined && value !== tombstone;
  const ageMs = isFound ? ageOf(column, record, nowMs) : null;
  const isExpired = ageMs !== null && rules.ttlMs !== null && ageMs > rules.ttlMs;
  const isKnown = column.untilMs === null || nowMs <= (column.untilMs[column.offset + record] as number);
  viewed.values[row] = isFound && !isExpired ? (value ?? rules.fallback) : rules.fallback;
  viewed.statuses[row] = isFound ? statusOf(value, isExpired) : "NOT_FOUND";
  viewed.eventTimes[row] = isFound ? (column.eventTimes[column.offset + record] as number) : null;
  viewed.agesMs[row] = ageMs;
  viewed.fresh[row] = ageMs !== null && !isExpired && isKnown && ageMs <= rules.freshnessMs;
}

function statusOf(value: FeatureValue, isExpired: boolean): Status {
  if (isExpired) return "OUTSIDE_MAX_AGE";
  return value === null ? "NULL_VALUE" : "PRESENT";
}
