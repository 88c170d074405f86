import type { Catalog } from "@tributary/shared/contracts/catalog";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { openBucket } from "@tributary/shared/messaging/bucket";
import type { Connection } from "@tributary/shared/messaging/contract";
import { readLiveCatalog } from "./live-catalog.ts";

/** The catalog that counts now; undefined while none was applied. @throws TributaryError MISSING_RESOURCE, UNAVAILABLE */
export async function readCurrentCatalog(connection: Connection): Promise<Catalog | undefined> {
  return (await readLiveCatalog(await openBucket(connection, "TRIB_CATALOG"))).body;
}

/** @throws TributaryError NOT_FOUND while none was applied */
export async function requireCurrentCatalog(connection: Connection): Promise<Catalog> {
  const catalog = await readCurrentCatalog(connection);
  if (catalog) return catalog;
  throw new TributaryError("NOT_FOUND", "no catalog has been applied yet; run `tributary apply FILE`");
}
