import { TributaryError } from "@tributary/shared/contracts/errors";
import type { StreamState } from "@tributary/shared/messaging/contract";
import type { CatalogView } from "@tributary/shared/runtime/catalog-client";

/** Ready = a catalog is known and the broker answers for the lane's stream. @throws TributaryError UNAVAILABLE and others */
export async function checkReady(catalog: CatalogView, readState: () => Promise<StreamState>): Promise<void> {
  if (!catalog.current) throw new TributaryError("UNAVAILABLE", "no catalog has been applied yet");
  await readState();
}
