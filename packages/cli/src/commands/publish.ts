import { readFileSync } from "node:fs";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { parseJson } from "../arguments.ts";
import type { Invocation } from "../command.ts";
import type { CommandResult } from "../output.ts";
import { withClient } from "../with-connection.ts";

export interface PublishFlags {
  readonly id?: string;
}

export async function run({ args, options, settings }: Invocation<PublishFlags>): Promise<CommandResult> {
  const [source = "", given = ""] = args;
  const text = given === "-" ? readFileSync(0, "utf8") : given;
  const parsed = parseJson(text, "the event");
  const events = (Array.isArray(parsed) ? parsed : [parsed]).map(asEvent);
  const ack = await withClient(settings.natsUrl(), (client) =>
    client.publish(source, events, options.id === undefined ? {} : { id: options.id }),
  );
  const data = { events: events.length, stream: ack.stream, sequence: ack.sequence, duplicate: ack.duplicate };
  return { data, text: `${events.length} stored, ${ack.stream} sequence ${ack.sequence}` };
}

function asEvent(value: unknown): object {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new TributaryError("MALFORMED", "an event must be a JSON object");
}
