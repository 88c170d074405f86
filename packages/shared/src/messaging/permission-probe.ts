import { Empty, headers } from "nats";
import type { Principal } from "../contracts/principals.ts";
import { clientOf } from "./client.ts";
import type { Connection } from "./contract.ts";
import { deadlineHeader } from "./service-errors.ts";

export interface MissingGrants {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

/**
 * Which of these grants the connection's user lacks, found by trying: an older broker does not tell a user what it may do.
 * Nothing comes of the tries: a published one expects a stream that there is not, and a deadline long past, so that no
 * stream keeps it and no endpoint works on it.
 */
export async function findMissingGrants(
  connection: Connection,
  grants: Pick<Principal, "publish" | "subscribe">,
): Promise<MissingGrants> {
  const client = clientOf(connection);
  const refused = new Set<string>();
  const unlisten = client.listen({ onPublishRefused: (subject) => refused.add(subject) });
  const block = headers();
  block.set("Nats-Expected-Stream", "none");
  block.set(deadlineHeader, "1");
  const deaf = new Set<string>();
  const subscriptions = grants.subscribe.map((grant) =>
    client.nats.subscribe(grant, { callback: (error) => error !== null && deaf.add(grant) }),
  );
  for (const grant of grants.publish) client.nats.publish(probeOf(grant), Empty, { headers: block });
  // Refusals come before the answer to a ping that was sent behind them; the client tells of them a turn later.
  await client.nats.flush();
  await client.nats.flush();
  for (const subscription of subscriptions) if (!subscription.isClosed()) subscription.unsubscribe();
  unlisten();
  return {
    publish: grants.publish.filter((grant) => refused.has(probeOf(grant))),
    subscribe: grants.subscribe.filter((grant) => deaf.has(grant)),
  };
}

/** A subject that the grant covers, and that nobody else uses where it has a wildcard. */
function probeOf(grant: string): string {
  return grant.replace(/[*>]/g, "permission-probe");
}
