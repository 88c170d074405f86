import { checkRequestKeys } from "@tributary/shared/admission/read-request";
import { encodeEntityKey, partitionOf } from "@tributary/shared/contracts/entity-key";
import type { Fetch, PlannedColumn, ReadPlan } from "./read-plan.ts";
import { viewRecordKey } from "./store-keys.ts";

/** Which records the rows of one read need, each named once however many rows need it. */
export interface LocatedRows {
  /** Redis keys of the records. */
  readonly keys: readonly string[];
  /** Partition of each record. */
  readonly partitions: readonly number[];
  /** For each fetch of the plan: the place in `keys` of every row's record; empty where no column needs the fetch. */
  readonly places: readonly (readonly number[])[];
}

/** @throws TributaryError MISSING_KEY, MISSING_FIELD, UNKNOWN_KEY, BAD_KEY */
export function locateRows(
  plan: ReadPlan,
  columns: readonly PlannedColumn[],
  rows: readonly Readonly<Record<string, unknown>>[],
): LocatedRows {
  for (const row of rows) checkRequestKeys(plan, row);
  const placeOf = new Map<string, number>();
  const partitions: number[] = [];
  const needed = new Set(columns.flatMap((column) => [column.fetch, ...column.over.map(({ fetch }) => fetch)]));
  const places = plan.fetches.map((fetch, index) => {
    if (!needed.has(index)) return [];
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

/**
 * Where one fetch's record of one row stands.
 * @throws TributaryError BAD_KEY
 */
function locateRecord(
  plan: ReadPlan,
  fetch: Fetch,
  row: Readonly<Record<string, unknown>>,
): { readonly key: string; readonly partition: number } {
  const values: Record<string, unknown> = {};
  for (const [joinKey, requestKey] of fetch.mapping) values[joinKey] = row[requestKey];
  const entityKey = encodeEntityKey(fetch.entity, values);
  const partition = partitionOf(entityKey, plan.partitions);
  return { key: viewRecordKey(partition, fetch.of, entityKey), partition };
}
