import { openConnection } from "@tributary/shared/messaging/connection";
import { type EnsureReport, ensureTopology } from "@tributary/shared/messaging/topology-admin";
import { withDatabase } from "./database.ts";
import { applyMigrations, type MigrationReport, readMigrations } from "./migrations.ts";

export interface EnvironmentUrls {
  /** Of a user who may create streams (`admin`). Absent: the broker is left alone. */
  readonly natsUrl?: string | undefined;
  /** Absent: the database is left alone. */
  readonly databaseUrl?: string | undefined;
}

export interface EnvironmentReport {
  readonly nats?: EnsureReport;
  readonly database?: MigrationReport;
}

/**
 * Creates or verifies all that the services bind to: streams, consumers, buckets, tables. Running it again changes nothing.
 * @throws TributaryError UNAVAILABLE, BAD_CONFIG
 */
export async function ensureEnvironment(urls: EnvironmentUrls): Promise<EnvironmentReport> {
  const { natsUrl, databaseUrl } = urls;
  const [nats, database] = await Promise.all([
    natsUrl === undefined ? undefined : ensureBroker(natsUrl),
    databaseUrl === undefined ? undefined : ensureDatabase(databaseUrl),
  ]);
  return { ...(nats && { nats }), ...(database && { database }) };
}

async function ensureBroker(natsUrl: string): Promise<EnsureReport> {
  const connection = await openConnection({ url: natsUrl, name: "tributary-admin" });
  try {
    return await ensureTopology(connection);
  } finally {
    await connection.close();
  }
}

async function ensureDatabase(databaseUrl: string): Promise<MigrationReport> {
  const migrations = await readMigrations();
  return withDatabase(databaseUrl, (client) => applyMigrations(client, migrations));
}
