import { checkRequestKeys } from "@tributary/shared/admission/read-request";
import { joinKeyParts, partitionOf } from "@tributary/shared/contracts/entity-key";
import type { Fetch, PlannedColumn, ReadPlan } from "./read-plan.ts";
import { viewRecordKey } from "./store-keys.ts";

/** Which records the rows of one read need, each named once however many rows need it (5 and "5" are told apart). */
export interface LocatedRows {
  /** Redis keys of the records. */
  readonly keys: readonly string[];
  /** Partition of each record. */
  readonly partitions: readonly number[];
  /** Of each fetch of the plan; without records and rows where no column needs it. */
  readonly fetches: readonly LocatedFetch[];
}

/** The records that one fetch needs, numbered among themselves: many rows may be about one. */
export interface LocatedFetch {
  /** Places in `keys`. */
  readonly records: readonly number[];
  /** Row → place in `records`. */
  readonly rows: readonly number[];
}

/** @throws TributaryError MISSING_KEY, MISSING_FIELD, UNKNOWN_KEY, BAD_KEY */
export function locateRows(
  plan: ReadPlan,
  columns: readonly PlannedColumn[],
  rows: readonly Readonly<Record<string, unknown>>[],
): LocatedRows {
  for (const row of rows) checkRequestKeys(plan, row);
  const located = new Located(plan.partitions);
  const needed = fetchesOf(columns);
  const fetches = plan.fetches.map((fetch, index) => (needed.has(index) ? located.locate(fetch, rows) : nothing));
  return { keys: located.keys, partitions: located.partitions, fetches };
}

const nothing: LocatedFetch = { records: [], rows: [] };

type Row = Readonly<Record<string, unknown>>;

class Located {
  readonly keys: string[] = [];
  readonly partitions: number[] = [];
  readonly #partitionCount: number;
  /** Of each kind of record: what tells an entity from another → its place in `keys`. */
  readonly #places = new Map<string, Map<string | number, number>>();

  constructor(partitionCount: number) {
    this.#partitionCount = partitionCount;
  }

  /** @throws TributaryError BAD_KEY */
  locate(fetch: Fetch, rows: readonly Row[]): LocatedFetch {
    const places = this.#placesOf(fetch);
    const records: number[] = [];
    /** Place in `keys` → place in `records`. */
    const numbers: (number | undefined)[] = [];
    let previous: { readonly row: Row; readonly number: number } | undefined;
    const numberOf = (row: Row): number => {
      // What all candidates have in common, such as the user, stands in every row.
      if (previous !== undefined && isSameKey(fetch, previous.row, row)) return previous.number;
      const place = this.#placeFor(fetch, row, places);
      const number = numbers[place] ?? records.push(place) - 1;
      numbers[place] = number;
      previous = { row, number };
      return number;
    };
    return { rows: rows.map(numberOf), records };
  }

  #placesOf({ of }: Fetch): Map<string | number, number> {
    const kind = viewRecordKey(0, of, "");
    const places = this.#places.get(kind) ?? new Map<string | number, number>();
    this.#places.set(kind, places);
    return places;
  }

  /** In `keys`, of the record of one row. @throws TributaryError BAD_KEY */
  #placeFor(fetch: Fetch, row: Row, places: Map<string | number, number>): number {
    const { mapping, of } = fetch;
    const only = mapping.length === 1 ? row[mapping[0]?.[1] ?? ""] : undefined;
    // A number is found again faster than its text.
    const told = typeof only === "number" ? only : keyOf(fetch, row);
    const known = places.get(told);
    if (known !== undefined) return known;
    const entityKey = typeof told === "number" ? keyOf(fetch, row) : told;
    const partition = partitionOf(entityKey, this.#partitionCount);
    this.partitions.push(partition);
    const place = this.keys.push(viewRecordKey(partition, of, entityKey)) - 1;
    places.set(told, place);
    return place;
  }
}

/** @throws TributaryError BAD_KEY */
function keyOf({ entity, mapping }: Fetch, row: Row): string {
  return joinKeyParts(entity, (place) => row[mapping[place]?.[1] ?? ""]);
}

function isSameKey({ mapping }: Fetch, one: Row, other: Row): boolean {
  for (const [, name] of mapping) if (one[name] !== other[name]) return false;
  return true;
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
