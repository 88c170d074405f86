import { withDatabase } from "../admin/database.ts";
import { readMigrations } from "../admin/migrations.ts";
import { type Check, fail, ok } from "./check.ts";

const majorLeast = 15;

/** PostgreSQL answers, is new enough, and has every migration of this build, unchanged. */
export async function databaseChecks(databaseUrl: string): Promise<readonly Check[]> {
  const migrations = await readMigrations();
  return withDatabase(databaseUrl, async (client) => {
    const [{ server_version: version = "" } = {}] = (await client.query("show server_version")).rows;
    const applied = await readApplied(client);
    return [postgresVersionCheck(String(version)), migrationCheck(migrations, applied)];
  });
}

export function postgresVersionCheck(version: string): Check {
  if (Number.parseInt(version, 10) >= majorLeast) return ok("postgresql", version);
  return fail("postgresql", `version ${version}`, `upgrade it to ${majorLeast} or later`);
}

interface Migration {
  readonly version: number;
  readonly name: string;
  readonly checksum: string;
}

function migrationCheck(migrations: readonly Migration[], applied: ReadonlyMap<number, string>): Check {
  const missing = migrations.filter(({ version }) => !applied.has(version));
  const changed = migrations.filter(({ version, checksum }) => (applied.get(version) ?? checksum) !== checksum);
  const names = (list: readonly Migration[]) => list.map(({ name }) => name).join(", ");
  if (changed.length > 0)
    return fail("migrations", `changed after they were applied: ${names(changed)}`, "restore the files");
  if (missing.length > 0) return fail("migrations", `missing: ${names(missing)}`, "run `tributary admin ensure`");
  return ok("migrations", `all ${migrations.length} applied`);
}

async function readApplied(client: Parameters<Parameters<typeof withDatabase>[1]>[0]): Promise<Map<number, string>> {
  const { rows: found } = await client.query("select to_regclass('schema_migrations') is not null as there");
  if (found[0]?.there !== true) return new Map();
  const { rows } = await client.query<{ version: number; checksum: string }>(
    "select version, checksum from schema_migrations",
  );
  return new Map(rows.map((row) => [row.version, row.checksum]));
}
