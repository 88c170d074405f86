import { TributaryError } from "@tributary/shared/contracts/errors";
import type { StreamState } from "@tributary/shared/messaging/contract";
import type { CatalogView } from "@tributary/shared/runtime/catalog-client";

/** A prober gives up soon; so do we, and say why. Real ms. */
const answerMsMax = 1_000;

/**
 * Ready = a catalog is known and the broker answers for the lane's stream.
 * @throws TributaryError UNAVAILABLE and what reading the stream's state throws
 */
export async function checkReady(catalog: CatalogView, readState: () => Promise<StreamState>): Promise<void> {
  if (!catalog.current) throw new TributaryError("UNAVAILABLE", "no catalog has been applied yet");
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, fail) => {
    const error = new TributaryError("UNAVAILABLE", `the broker did not answer within ${answerMsMax} ms`);
    timer = setTimeout(() => fail(error), answerMsMax);
  });
  await Promise.race([readState(), late]).finally(() => clearTimeout(timer));
}
