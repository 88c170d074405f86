import { checkRequestKeys, locateRecord, type PlannedColumn, type ReadPlan } from "./read-plan.ts";

/** Which records the rows of one read need, each named once however many rows need it. */
export interface LocatedRows {
  /** Redis keys of the records. */
  readonly keys: readonly string[];
  /** Partition of each record. */
  readonly partitions: readonly number[];
  /** For each fetch of the plan: the place in `keys` of every row's record; empty where no column needs the fetch. */
  readonly places: readonly (readonly number[])[];
}

/** @throws TributaryError MISSING_KEY, UNKNOWN_KEY, BAD_KEY */
export function locateRows(
  plan: ReadPlan,
  columns: readonly PlannedColumn[],
  rows: readonly Readonly<Record<string, unknown>>[],
): LocatedRows {
  for (const row of rows) checkRequestKeys(plan, row);
  const placeOf = new Map<string, number>();
  const partitions: number[] = [];
  const places = plan.fetches.map((fetch, index) => {
    if (!columns.some((column) => column.fetch === index)) return [];
    return rows.map((row) => {
      const { key, partition } = locateRecord(plan, fetch, row);
      const known = placeOf.get(key);
      if (known !== undefined) return known;
      placeOf.set(key, partitions.length);
      return partitions.push(partition) - 1;
    });
  });
  return { keys: [...placeOf.keys()], partitions, places };
}
