import { decodeChunk } from "@tributary/shared/codec/chunk-codec";
import type { Chunk, ConfirmationChunk, RowSchedule } from "@tributary/shared/contracts/chunk";
import { compareVersions, type Version } from "@tributary/shared/contracts/version";
import type { DeliveredMessage } from "@tributary/shared/messaging/contract";

/** The row of a key that won, as a reader would find it. */
export interface StoredRow {
  readonly view: string;
  readonly key: string;
  readonly version: Version;
  readonly values: Readonly<Record<string, number | null>>;
  readonly columns: readonly string[];
  readonly schedule: RowSchedule | null;
}

export interface NaiveStore {
  readonly rows: ReadonlyMap<string, StoredRow>;
  /** In the order published. */
  readonly history: readonly StoredRow[];
  readonly confirmations: readonly ConfirmationChunk[];
  /** What a read of `view` gives at an instant; undefined: nothing is stored, or nothing is known of that instant any more. */
  readAt(view: string, key: string, instantMs: number): Readonly<Record<string, number | null>> | undefined;
}

/** Every published row merged by version, one at a time, without any of the store's code. */
export function mergeAll(messages: readonly DeliveredMessage[]): NaiveStore {
  const chunks = messages.map(({ data }) => decodeChunk(data));
  const history = chunks.flatMap(rowsOf);
  const rows = new Map<string, StoredRow>();
  for (const row of history) {
    const name = `${row.view}/${row.key}`;
    const before = rows.get(name);
    if (before === undefined || compareVersions(row.version, before.version) > 0) rows.set(name, row);
  }
  return {
    rows,
    history,
    confirmations: chunks.filter((chunk) => chunk.kind === "confirm"),
    readAt: (view, key, instantMs) => {
      const row = rows.get(`${view}/${key}`);
      return row && valuesAt(row, instantMs);
    },
  };
}

export function valuesAt(row: StoredRow, instantMs: number): Readonly<Record<string, number | null>> | undefined {
  if (row.schedule !== null && instantMs > row.schedule.untilMs) return undefined;
  const values = { ...row.values };
  for (const step of row.schedule?.steps ?? [])
    if (step.atMs <= instantMs)
      for (const [column, value] of step.changes) values[row.columns[column] as string] = value as number | null;
  return values;
}

function rowsOf(chunk: Chunk): StoredRow[] {
  if (chunk.kind !== "rows") return [];
  const columns = chunk.columns.map(({ feature }) => feature);
  return chunk.keys.map((key, i) => ({
    view: chunk.view,
    key,
    version: {
      eventTime: chunk.eventTimes[i] as number,
      incarnation: chunk.stamps?.incarnations[i] as number,
      sequence: chunk.stamps?.sequences[i] as number,
      minor: chunk.stamps?.minors[i] as number,
    },
    values: Object.fromEntries(chunk.columns.map(({ feature, cells }) => [feature, cells[i] as number | null])),
    columns,
    schedule: chunk.schedules?.[i] ?? null,
  }));
}
