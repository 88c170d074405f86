import type { FeatureValue } from "@tributary/shared/contracts/chunk";
import type { ReadColumn, ReadReply, Status } from "@tributary/shared/contracts/read";
import type { Convert } from "./output-value.ts";
import { rowMaker } from "./row-maker.ts";

/** One value with everything a read knows of it. */
export interface Detail<T = unknown> {
  readonly value: T | null;
  readonly status: Status;
  /** Of a value computed on demand the oldest of what it is computed of; so with age and freshness. */
  readonly eventTime: Date | null;
  /** Age on the clock at the time of the read, ms; null where nothing is stored. */
  readonly ageMs: number | null;
  /** Null of a value computed on demand. */
  readonly lane: "batch" | "stream" | "direct" | null;
  /** The view that the value comes from: where the feature service has layers, the one that counts. */
  readonly view: string | null;
  /** Within the view's declared freshness. */
  readonly fresh: boolean;
}

export type DetailRow<Row> = { readonly [N in keyof Row]: Detail<Row[N]> };

/** Feature name → conversion; a column without one keeps its wire value. */
export type Converters = ReadonlyMap<string, Convert>;

/** The reply's columns as one object a key, in the order of the keys. */
export function toRows(reply: ReadReply, keys: number, converters: Converters): Record<string, unknown>[] {
  return buildRows(reply, keys, ({ name, values }) => {
    const convert = converters.get(name);
    return convert === undefined ? values : Array.from({ length: keys }, (_, row) => convert(values[row] ?? null));
  });
}

export function toDetailRows(reply: ReadReply, keys: number, converters: Converters): Record<string, Detail>[] {
  return buildRows(reply, keys, (column) => {
    const convert = converters.get(column.name) ?? keep;
    return Array.from({ length: keys }, (_, row) => ({
      value: convert(column.values[row] ?? null),
      ...detailOf(column, row),
    }));
  }) as Record<string, Detail>[];
}

function buildRows(
  { columns }: ReadReply,
  keys: number,
  cellsOf: (column: ReadColumn) => readonly unknown[],
): Record<string, unknown>[] {
  const makeRow = rowMaker(columns.map(({ name }) => name));
  const cells = columns.map(cellsOf);
  const rows: Record<string, unknown>[] = new Array(keys);
  for (let row = 0; row < keys; row++) rows[row] = makeRow(cells, row);
  return rows;
}

function detailOf(column: ReadColumn, row: number): Omit<Detail, "value"> {
  const eventTime = column.eventTimes?.[row] ?? null;
  return {
    status: column.statuses?.[row] ?? "NOT_FOUND",
    eventTime: eventTime === null ? null : new Date(eventTime),
    ageMs: column.agesMs?.[row] ?? null,
    lane: column.lanes?.[row] ?? column.lane ?? null,
    view: column.views?.[row] ?? column.view ?? null,
    fresh: column.fresh?.[row] ?? false,
  };
}

const keep = (value: FeatureValue): unknown => value;
