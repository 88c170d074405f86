import { TributaryError } from "@tributary/shared/contracts/errors";
import type { CatalogView } from "@tributary/shared/runtime/catalog-client";

/** Ready = a catalog is known and Redis answers. @throws TributaryError UNAVAILABLE */
export async function checkReady(catalog: CatalogView, ping: () => Promise<void>): Promise<void> {
  if (!catalog.current) throw new TributaryError("UNAVAILABLE", "no catalog has been applied yet");
  await ping();
}
