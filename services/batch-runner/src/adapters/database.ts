import { asTributaryError, TributaryError } from "@tributary/shared/contracts/errors";
import type { SqlQuery } from "@tributary/shared/runtime/lease";
import pg from "pg";

/** PostgreSQL behind two functions, so that nothing else knows the driver. */
export interface Database {
  readonly query: SqlQuery;
  /** One transaction; rolled back when `work` throws. */
  transaction<T>(work: (query: SqlQuery) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

const connectMsMax = 10_000;
const connectionsMax = 4;

export function openDatabase(url: string, onIdleError: (error: Error) => void): Database {
  const pool = new pg.Pool({ connectionString: url, max: connectionsMax, connectionTimeoutMillis: connectMsMax });
  pool.on("error", onIdleError);
  return {
    query: (sql, values) => answered(() => pool.query(sql, [...values])),
    transaction: (work) => transaction(pool, work),
    close: () => pool.end(),
  };
}

async function transaction<T>(pool: pg.Pool, work: (query: SqlQuery) => Promise<T>): Promise<T> {
  const client = await answered(() => pool.connect());
  let broken = true;
  try {
    await answered(() => client.query("begin"));
    const result = await work((sql, values) => answered(() => client.query(sql, [...values])));
    await answered(() => client.query("commit"));
    broken = false;
    return result;
  } catch (error) {
    broken = await client.query("rollback").then(
      () => false,
      () => true,
    );
    throw error;
  } finally {
    client.release(broken);
  }
}

/** A statement the server refused is a defect; everything else means that the server does not answer. */
async function answered<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof TributaryError) throw error;
    if (error instanceof pg.DatabaseError && !/^(08|53|57P)/.test(error.code ?? "")) throw asTributaryError(error);
    throw new TributaryError("UNAVAILABLE", "PostgreSQL does not answer", { cause: error });
  }
}
