import { TributaryError } from "@tributary/shared/contracts/errors";
import pg from "pg";

/** Real ms that a first connection and a lock may take. */
const connectMsMax = 10_000;
const lockMsMax = 30_000;

/**
 * Runs `work` on one connection and closes it afterwards.
 * @throws TributaryError UNAVAILABLE naming host and port when the server does not answer, BAD_CONFIG when it refuses the user
 */
export async function withDatabase<T>(databaseUrl: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    connectionString: databaseUrl,
    connectionTimeoutMillis: connectMsMax,
    lock_timeout: lockMsMax,
    application_name: "tributary",
  });
  // Without a listener a connection that breaks while idle would crash the process; the pending query rejects anyway.
  client.on("error", () => {});
  try {
    await client.connect();
  } catch (error) {
    throw connectError(databaseUrl, error);
  }
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

function connectError(databaseUrl: string, error: unknown): TributaryError {
  const { host, pathname } = new URL(databaseUrl);
  const refused = (error as { code?: string }).code;
  // Class 28: invalid authorization; 3D000: no such database.
  if (refused?.startsWith("28") || refused === "3D000") {
    return new TributaryError("BAD_CONFIG", `PostgreSQL at ${host} refuses the user or database ${pathname}`, {
      cause: error,
    });
  }
  return new TributaryError("UNAVAILABLE", `PostgreSQL at ${host} does not answer`, { cause: error });
}
