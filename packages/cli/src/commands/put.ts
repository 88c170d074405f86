import { fromWireError, TributaryError } from "@tributary/shared/contracts/errors";
import { jsonOrText, splitPair } from "../arguments.ts";
import type { Invocation } from "../command.ts";
import type { CommandResult } from "../output.ts";
import { withClient } from "../with-connection.ts";

export interface PutFlags {
  readonly set?: string[];
  readonly withdraw?: string[];
  readonly eventTime?: string;
  readonly idempotencyKey?: string;
}

export async function run({ args, options, settings, interruption }: Invocation<PutFlags>): Promise<CommandResult> {
  const [view = "", ...pairs] = args;
  const row = {
    key: Object.fromEntries(pairs.map(splitPair)),
    features: Object.fromEntries((options.set ?? []).map(splitPair).map(([name, text]) => [name, jsonOrText(text)])),
    ...(options.withdraw && { withdraw: options.withdraw }),
    ...(options.eventTime !== undefined && { eventTime: eventTimeOf(options.eventTime) }),
  };
  const { idempotencyKey } = options;
  interruption.underWay(() => "the write may or may not have happened; read it back");
  const [outcome] = await withClient(settings.natsUrl(), async (client) => {
    return (await client.write(view, [row], idempotencyKey === undefined ? {} : { idempotencyKey })).outcomes;
  });
  if (!outcome) throw new TributaryError("MALFORMED", "the gateway answered no outcome");
  if (outcome.kind !== "accepted") throw fromWireError(outcome);
  const { token } = outcome;
  return { data: outcome, text: `accepted: ${token.features.join(", ")} at sequence ${token.sequence}` };
}

/** Epoch ms come as digits. */
function eventTimeOf(text: string): number | string {
  return /^-?\d+$/.test(text) ? Number(text) : text;
}
