import { TributaryError } from "@tributary/shared/contracts/errors";
import type { PostgresTable } from "@tributary/shared/contracts/source";
import pg from "pg";
import type { PostgresColumn } from "../core/postgres-column.ts";

/**
 * One query of somebody else's PostgreSQL, read by a cursor in one read-only snapshot: as large as it may be, a few
 * megabytes are held at once. The text goes through the extended protocol, which refuses a second statement behind it.
 */
export interface OpenQuery {
  readonly columns: readonly PostgresColumn[];
  /** The next rows, one array a column: null, text, a list of texts for arrays, Uint8Array for bytea; undefined at the end. */
  next(): Promise<QueryBatch | undefined>;
  close(): Promise<void>;
}

export interface QueryBatch {
  readonly rows: number;
  readonly columns: readonly (readonly unknown[])[];
  /** As text. */
  readonly bytes: number;
}

export interface QueryOptions {
  readonly url: string;
  /** Of each statement: beginning the query, and fetching the next rows. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

const connectMsMax = 10_000;
/** How long after the server's own time-out the connection counts as lost, ms. */
const answerMsMax = 10_000;
const fetchBytesTarget = 4 * 1024 * 1024;
const fetchRowsFirst = 256;
const fetchRowsMax = 10_000;

/** @throws TributaryError UNAVAILABLE, BAD_CONFIG, BAD_SOURCE, without the database's data */
export async function openPostgresQuery(source: PostgresTable, options: QueryOptions): Promise<OpenQuery> {
  options.signal.throwIfAborted();
  const client = newClient(options);
  const abort = () => void client.end().catch(() => undefined);
  const close = async () => {
    options.signal.removeEventListener("abort", abort);
    await client.end().catch(() => undefined);
  };
  // A connection that breaks is told by the statement that waits for it.
  client.on("error", () => undefined);
  options.signal.addEventListener("abort", abort);
  const said = <T>(work: () => Promise<T>) => answered(source, options, work);
  try {
    await said(() => client.connect());
    await said(() => begin(client, source.query, options.timeoutMs));
    const first = await said(() => fetchRows(client, fetchRowsFirst));
    const columns = await said(() => describeColumns(client, first.fields));
    return { columns, next: batchesOf(columns, first, (rows) => said(() => fetchRows(client, rows))), close };
  } catch (error) {
    await close();
    throw error;
  }
}

const asText = { getTypeParser: () => (text: unknown) => text } as unknown as pg.CustomTypesConfig;

function newClient({ url, timeoutMs }: QueryOptions): pg.Client {
  return new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: connectMsMax,
    query_timeout: timeoutMs + answerMsMax,
    keepAlive: true,
    application_name: "tributary batch-runner",
    types: asText,
  });
}

async function begin(client: pg.Client, query: string, timeoutMs: number): Promise<void> {
  await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  // One form for every value, whatever the role's own settings are.
  const settings = ["timezone = 'UTC'", "datestyle = 'ISO, YMD'", "bytea_output = 'hex'", "extra_float_digits = 1"];
  for (const setting of [...settings, `statement_timeout = ${timeoutMs}`]) await client.query(`SET LOCAL ${setting}`);
  const text = `DECLARE tributary NO SCROLL CURSOR FOR ${query.trim().replace(/;$/, "")}`;
  await client.query({ text, queryMode: "extended" } as pg.QueryConfig);
}

type Fetched = pg.QueryArrayResult<(string | null)[]>;

function fetchRows(client: pg.Client, rows: number): Promise<Fetched> {
  return client.query({ text: `FETCH ${rows} FROM tributary`, rowMode: "array" });
}

async function describeColumns(client: pg.Client, fields: readonly pg.FieldDef[]): Promise<readonly PostgresColumn[]> {
  const { rows } = await client.query<{ oid: string; type: string; category: string }>(
    "SELECT oid, typname AS type, typcategory AS category FROM pg_catalog.pg_type WHERE oid = ANY ($1)",
    [fields.map((field) => field.dataTypeID)],
  );
  const types = new Map(rows.map((row) => [Number(row.oid), row]));
  return fields.map(({ name, dataTypeID }) => {
    const { type = "unknown", category = "X" } = types.get(dataTypeID) ?? {};
    return { name, type, category };
  });
}

/** Asks for as many rows at a time as make about `fetchBytesTarget`. */
function batchesOf(
  columns: readonly PostgresColumn[],
  first: Fetched,
  fetch: (rows: number) => Promise<Fetched>,
): OpenQuery["next"] {
  const parsers = columns.map(parserOf);
  let ahead: Fetched | undefined = first;
  let rows = fetchRowsFirst;
  return async () => {
    const fetched = ahead ?? (await fetch(rows));
    ahead = undefined;
    if (fetched.rows.length === 0) return undefined;
    const bytes = sizeOf(fetched);
    rows = Math.max(1, Math.min(fetchRowsMax, Math.floor((fetchBytesTarget * fetched.rows.length) / (bytes + 1))));
    return {
      rows: fetched.rows.length,
      bytes,
      columns: parsers.map((parse, i) => fetched.rows.map((row) => parse(row[i] ?? null))),
    };
  };
}

function sizeOf({ rows }: Fetched): number {
  return rows.reduce((total, row) => total + row.reduce((sum, text) => sum + (text?.length ?? 0), 0), 0);
}

/** Of text[]: its elements stay text. The driver's own list of type numbers leaves arrays out. */
const textArrayOid: number = 1009;
const parseArray: (text: string) => readonly unknown[] = pg.types.getTypeParser(textArrayOid);

function parserOf({ type, category }: PostgresColumn): (text: string | null) => unknown {
  const parse = category === "A" ? elementsOf : type === "bytea" ? bytesOf : (text: string) => text;
  return (text) => (text === null ? null : parse(text));
}

/** Arrays of arrays become texts, which no declared element takes. */
function elementsOf(text: string): readonly (string | null)[] {
  return parseArray(text).map((item) => (typeof item === "string" || item === null ? item : JSON.stringify(item)));
}

function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.slice(2), "hex"));
}

async function answered<T>(source: PostgresTable, options: QueryOptions, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    options.signal.throwIfAborted();
    throw queryError(source, options, error);
  }
}

function queryError(source: PostgresTable, { timeoutMs }: QueryOptions, error: unknown): TributaryError {
  const where = `source "${source.name}": connection "${source.connection}"`;
  // The driver's own error holds the statement's data in its detail: it is not kept as the cause.
  if (!(error instanceof pg.DatabaseError))
    return new TributaryError("UNAVAILABLE", `${where}: PostgreSQL does not answer`);
  const code = error.code ?? "";
  if (code === "57014")
    return new TributaryError("UNAVAILABLE", `${where}: the query was cancelled, or took longer than ${timeoutMs} ms`);
  if (/^(08|53|57|40|25P)/.test(code))
    return new TributaryError("UNAVAILABLE", `${where}: PostgreSQL does not answer (${code})`);
  if (/^(28|3D)/.test(code))
    return new TributaryError("BAD_CONFIG", `${where}: PostgreSQL refuses the connection (${code}): check its URL`);
  return new TributaryError("BAD_SOURCE", `${where}: the query fails (${code}): ${withoutData(code, error.message)}`);
}

/** Class 42 is about the query's text and quotes names; any other message may quote a row's values. */
function withoutData(code: string, message: string): string {
  const line = message.split("\n", 1)[0] ?? "";
  if (code.startsWith("42")) return line;
  if (code.startsWith("P0")) return "an exception of the database's own code";
  return line.replace(/(:|").*$/, "").trim();
}
