import { mergeFreshness, type ViewFreshness, viewFreshnessSchema } from "@tributary/shared/contracts/freshness";
import type { Connection } from "@tributary/shared/messaging/contract";
import { requestMany } from "@tributary/shared/messaging/request-many";
import { z } from "zod";

const bounds = { waitMs: 1_000, quietMs: 100 };

const dataSchema = z.object({ freshness: z.array(viewFreshnessSchema) });
const statsSchema = z.object({ endpoints: z.array(z.object({ data: z.unknown() })) });

/**
 * How fresh each view is, of all stores together: a request to one of them would tell its share alone. Empty when none answers.
 * @throws TributaryError UNAVAILABLE, BAD_CONFIG when the user may not ask
 */
export async function readFreshness(connection: Connection): Promise<readonly ViewFreshness[]> {
  const answers = (await requestMany(connection, "$SRV.STATS.online-store", bounds)) ?? [];
  return mergeFreshness(answers.flatMap(freshnessIn));
}

/** Nothing of what is no answer of a store: anybody may answer there, also an older build. */
export function freshnessIn(answer: Uint8Array): readonly ViewFreshness[] {
  const stats = statsSchema.safeParse(jsonOf(answer));
  const found = stats.data?.endpoints.map(({ data }) => dataSchema.safeParse(data).data?.freshness);
  return found?.find((one) => one !== undefined) ?? [];
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
