import { TributaryError } from "@tributary/shared/contracts/errors";
import type { Database } from "./database.ts";

const tables = ["leases", "batch_runs", "batch_published"];

/** @throws TributaryError MISSING_RESOURCE naming the tables that do not exist */
export async function checkTables(database: Database): Promise<void> {
  const { rows } = await database.query(
    "select name from unnest($1::text[]) as needed(name) where to_regclass(name) is null",
    [tables],
  );
  if (rows.length === 0) return;
  const missing = rows.map((row) => String(row.name)).join(", ");
  throw new TributaryError("MISSING_RESOURCE", `the database has no table ${missing}`);
}
