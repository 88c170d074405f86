import { openBucket } from "@tributary/shared/messaging/bucket";
import { withDatabase } from "../admin/database.ts";
import type { Settings } from "../settings.ts";
import { withConnection } from "../with-connection.ts";
import { bucketHistory } from "./bucket-history.ts";
import { databaseHistory } from "./database-history.ts";
import type { History } from "./history.ts";
import { type LiveCatalog, readLiveCatalog } from "./live-catalog.ts";

/** The history where it is: in PostgreSQL where its address is known, else in KV, which has neither authors nor messages. */
export async function withHistory<T>(
  settings: Settings,
  work: (history: History, live: LiveCatalog) => Promise<T>,
): Promise<T> {
  return withConnection(settings.natsUrl(), async (connection) => {
    const bucket = await openBucket(connection, "TRIB_CATALOG");
    const live = await readLiveCatalog(bucket);
    const databaseUrl = settings.entries.find(({ name }) => name === "databaseUrl")?.value;
    if (databaseUrl === undefined || databaseUrl === "") return work(bucketHistory(bucket, live), live);
    return withDatabase(databaseUrl, (client) => work(databaseHistory(client, live.version), live));
  });
}
