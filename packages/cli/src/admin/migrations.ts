import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { TributaryError } from "@tributary/shared/contracts/errors";
import type { Client } from "pg";

/**
 * Numbered SQL files, applied once each, in order, one transaction a file. Two runs at a time are safe: an advisory lock
 * lets one work and the other then finds nothing to do. An applied file is history: changing it is an error.
 */
export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
  /** SHA-256 of the file, hex. */
  readonly checksum: string;
}

export interface MigrationReport {
  readonly applied: readonly string[];
  readonly verified: readonly string[];
}

export const migrationsDirectory = fileURLToPath(new URL("../../migrations/", import.meta.url));

/** Any constant that nobody else in the database uses: "trib" in ASCII. */
const lockKey = 0x74726962;

/** The `NNNN_name.sql` files of a directory in order. @throws TributaryError BAD_CONFIG for a name or number that does not fit */
export async function readMigrations(directory = migrationsDirectory): Promise<readonly Migration[]> {
  const files = (await readdir(directory)).filter((file) => file.endsWith(".sql")).sort();
  const migrations = await Promise.all(files.map((file) => readMigration(directory, file)));
  const twice = migrations.find((one, i) => migrations[i + 1]?.version === one.version);
  if (twice) throw new TributaryError("BAD_CONFIG", `two migrations have the number of ${twice.name}`);
  return migrations;
}

async function readMigration(directory: string, file: string): Promise<Migration> {
  const number = /^(\d{4})_[a-z0-9_]+\.sql$/.exec(file)?.[1];
  if (number === undefined) throw new TributaryError("BAD_CONFIG", `migration ${file} is not named NNNN_name.sql`);
  const sql = await readFile(`${directory}/${file}`, "utf8");
  return { version: Number(number), name: file, sql, checksum: createHash("sha256").update(sql).digest("hex") };
}

/**
 * Applies what is missing and verifies the rest.
 * @throws TributaryError BAD_CONFIG when an applied file was changed, INTERNAL naming the file whose SQL fails
 */
export async function applyMigrations(client: Client, migrations: readonly Migration[]): Promise<MigrationReport> {
  await client.query("select pg_advisory_lock($1)", [lockKey]);
  try {
    const known = await appliedChecksums(client);
    for (const migration of migrations) assertUnchanged(migration, known.get(migration.version));
    const missing = migrations.filter((migration) => !known.has(migration.version));
    for (const migration of missing) await applyOne(client, migration);
    const verified = migrations.filter((migration) => known.has(migration.version));
    return { applied: missing.map((one) => one.name), verified: verified.map((one) => one.name) };
  } finally {
    await client.query("select pg_advisory_unlock($1)", [lockKey]);
  }
}

async function appliedChecksums(client: Client): Promise<ReadonlyMap<number, string>> {
  await client.query(
    `create table if not exists schema_migrations
       (version int primary key, name text not null, checksum text not null, applied_at timestamptz not null default now())`,
  );
  const { rows } = await client.query<{ version: number; checksum: string }>(
    "select version, checksum from schema_migrations",
  );
  return new Map(rows.map((row) => [row.version, row.checksum]));
}

function assertUnchanged(migration: Migration, checksum: string | undefined): void {
  if (checksum === undefined || checksum === migration.checksum) return;
  throw new TributaryError(
    "BAD_CONFIG",
    `migration ${migration.name} was changed after it was applied; restore it and add a new file instead`,
  );
}

async function applyOne(client: Client, migration: Migration): Promise<void> {
  try {
    await client.query("begin");
    await client.query(migration.sql);
    await client.query("insert into schema_migrations (version, name, checksum) values ($1, $2, $3)", [
      migration.version,
      migration.name,
      migration.checksum,
    ]);
    await client.query("commit");
  } catch (error) {
    await client.query("rollback");
    const why = error instanceof Error ? error.message : String(error);
    throw new TributaryError("INTERNAL", `migration ${migration.name} failed: ${why}`, { cause: error });
  }
}
