import { checkRequestKeys } from "@tributary/shared/admission/read-request";
import { joinKeyParts, partitionOf } from "@tributary/shared/contracts/entity-key";
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
  const located = new Located();
  const needed = fetchesOf(columns);
  const places = plan.fetches.map((fetch, index) =>
    needed.has(index) ? rows.map((row) => located.placeOf(plan, fetch, row)) : [],
  );
  return { keys: located.keys, partitions: located.partitions, places };
}

class Located {
  readonly keys: string[] = [];
  readonly partitions: number[] = [];
  readonly #placeOf = new Map<string, number>();

  /** Of the record of one row. @throws TributaryError BAD_KEY */
  placeOf({ partitions }: ReadPlan, { entity, mapping, of }: Fetch, row: Readonly<Record<string, unknown>>): number {
    const entityKey = joinKeyParts(entity, (place) => row[mapping[place]?.[1] ?? ""]);
    const partition = partitionOf(entityKey, partitions);
    const key = viewRecordKey(partition, of, entityKey);
    const known = this.#placeOf.get(key);
    if (known !== undefined) return known;
    const place = this.keys.push(key) - 1;
    this.#placeOf.set(key, place);
    this.partitions.push(partition);
    return place;
  }
}

/** Most reads want all columns of a plan, which are one and the same list each time. */
const known = new WeakMap<readonly PlannedColumn[], ReadonlySet<number>>();

function fetchesOf(columns: readonly PlannedColumn[]): ReadonlySet<number> {
  const found =
    known.get(columns) ??
    new Set(columns.flatMap((column) => [column.fetch, ...column.over.map((layer) => layer.fetch)]));
  known.set(columns, found);
  return found;
}
