import { TributaryError } from "@tributary/shared/contracts/errors";
import { assertFence, type Lease, type SqlQuery } from "@tributary/shared/runtime/lease";
import pg from "pg";

/** PostgreSQL as the stream lane uses it: single statements, and transactions that hold a lease's fence. */
export interface Database {
  readonly query: SqlQuery;
  /** Runs `work` in one transaction after checking the fence. @throws TributaryError FENCED, UNAVAILABLE */
  fenced<T>(lease: Lease, work: (query: SqlQuery) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

const tables = ["leases", "stream_routes", "stream_partitions", "stream_keys", "stream_erasures"];

export interface DatabaseOptions {
  readonly connectionsMax: number;
  /** A transaction in which this process says nothing for so long is rolled back: its locks would keep a successor waiting. */
  readonly silentMsMax: number;
  readonly onError: (error: Error) => void;
}

/** @throws TributaryError UNAVAILABLE, MISSING_RESOURCE naming the table */
export async function openDatabase(url: string, options: DatabaseOptions): Promise<Database> {
  const pool = new pg.Pool({
    connectionString: url,
    max: options.connectionsMax,
    connectionTimeoutMillis: 5_000,
    statement_timeout: 30_000,
    idle_in_transaction_session_timeout: options.silentMsMax,
    application_name: "stream-processor",
  });
  pool.on("error", options.onError);
  const database: Database = {
    query: (sql, values) => guarded(() => pool.query(sql, [...values])),
    fenced: (lease, work) => guarded(() => inTransaction(pool, lease, work)),
    close: () => pool.end(),
  };
  try {
    await checkTables(database);
  } catch (error) {
    await pool.end();
    throw error;
  }
  return database;
}

async function checkTables({ query }: Database): Promise<void> {
  const { rows } = await query("select name from unnest($1::text[]) as name where to_regclass(name) is null", [tables]);
  if (rows.length > 0)
    throw new TributaryError("MISSING_RESOURCE", `table "${String(rows[0]?.name)}" is missing in the database`);
}

async function inTransaction<T>(pool: pg.Pool, lease: Lease, work: (query: SqlQuery) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  // Without a listener, a connection that is lost between two statements ends the process.
  const onLost = () => undefined;
  client.on("error", onLost);
  const query: SqlQuery = (sql, values) => client.query(sql, [...values]);
  let failure: Error | undefined;
  try {
    await client.query("begin");
    await assertFence(query, lease);
    const result = await work(query);
    await client.query("commit");
    return result;
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error));
    await client.query("rollback").catch(() => undefined);
    throw error;
  } finally {
    client.off("error", onLost);
    client.release(failure instanceof TributaryError ? undefined : failure);
  }
}

async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw databaseError(error);
  }
}

/** An outage is retried; a defect in our SQL is not. SQLSTATE classes: 08 connection, 53 resources, 57 shutdown, 40 rollback; 25P03 silent. */
function databaseError(error: unknown): unknown {
  if (error instanceof TributaryError || !(error instanceof Error)) return error;
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  const isDefect = /^[0-9A-Z]{5}$/.test(code) && !/^(08|53|57|40|25P03)/.test(code) && !/^E/.test(code);
  if (/^28|^3D/.test(code)) return new TributaryError("BAD_CONFIG", `PostgreSQL refuses the connection (${code})`);
  return isDefect ? error : new TributaryError("UNAVAILABLE", `PostgreSQL does not answer: ${error.message || code}`);
}
