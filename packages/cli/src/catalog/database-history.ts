import { TributaryError } from "@tributary/shared/contracts/errors";
import type { Client } from "pg";
import { notThere } from "./bucket-history.ts";
import { checkBody } from "./catalog-body.ts";
import type { Change } from "./change.ts";
import type { History, RecordedVersion, VersionEntry, VersionState } from "./history.ts";
import { type Past, type PastCatalog, PastCollector } from "./past.ts";

/** The history in PostgreSQL. What is current says the pointer in KV: `current` is its version, 0 while none was applied. */
export function databaseHistory(client: Client, current: number): History {
  return {
    list: async (max) => {
      const rows = await select(client, `select ${columns} from catalog_versions order by version desc limit $1`, [
        max,
      ]);
      return rows.map((row) => entryOf(row, current));
    },
    read: async (version) => {
      const query = `select ${columns}, body, diff, follows from catalog_versions where version = $1`;
      const [row] = await select(client, query, [version]);
      if (row === undefined) throw notThere(version);
      return recordedOf(row, current);
    },
    past: () => readPast(client, current),
  };
}

const columns =
  "version, fingerprint, author, message, extract(epoch from applied_at) * 1000 as recorded_ms, current_since";

type Row = Readonly<Record<string, unknown>>;

function entryOf(row: Row, current: number): VersionEntry {
  const version = Number(row.version);
  return {
    version,
    fingerprint: String(row.fingerprint),
    recordedAtMs: Math.round(Number(row.recorded_ms)),
    author: String(row.author),
    message: String(row.message),
    state: stateOf(row, version === current),
  };
}

function stateOf(row: Row, isCurrent: boolean): VersionState {
  if (isCurrent) return "current";
  return row.current_since === null ? "neverCurrent" : "earlier";
}

function recordedOf(row: Row, current: number): RecordedVersion {
  const entry = entryOf(row, current);
  return {
    ...entry,
    body: checkBody(row.body, entry),
    diff: row.diff as readonly Change[] | null,
    follows: row.follows === null ? null : Number(row.follows),
  };
}

const pageRows = 50;

/** Page by page: a long history is never in memory whole. */
async function readPast(client: Client, current: number): Promise<Past> {
  const past = new PastCollector();
  for (let after = 0; ; ) {
    const query = `select version, body - 'featureServices' as body from catalog_versions
      where version > $1 and (current_since is not null or version = $2) order by version limit ${pageRows}`;
    const rows = await select(client, query, [after, current]);
    for (const { body } of rows) past.add(body as PastCatalog);
    if (rows.length < pageRows) return past;
    after = Number(rows.at(-1)?.version);
  }
}

/** @throws TributaryError MISSING_RESOURCE when the environment was never ensured, or by an older build */
export async function select(client: Client, query: string, values: readonly unknown[]): Promise<Row[]> {
  try {
    return (await client.query<Record<string, unknown>>(query, [...values])).rows;
  } catch (error) {
    // 42P01: undefined table; 42703: undefined column.
    const { code } = error as { code?: string };
    if (code === "42P01") throw missing("table catalog_versions does not exist", error);
    if (code === "42703") throw missing("table catalog_versions lacks columns of this build", error);
    throw error;
  }
}

function missing(what: string, cause: unknown): TributaryError {
  return new TributaryError("MISSING_RESOURCE", what, { cause });
}
