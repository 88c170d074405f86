import { text as readText } from "node:stream/consumers";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { parseJson } from "../arguments.ts";
import type { Invocation } from "../command.ts";
import type { CommandResult } from "../output.ts";
import { withClient } from "../with-connection.ts";

export interface PublishFlags {
  readonly id?: string;
}

export async function run({
  args,
  options,
  settings,
  output,
  world,
}: Invocation<PublishFlags>): Promise<CommandResult> {
  const [source = "", given = ""] = args;
  if (given === "-") output.note("reading events from standard input");
  const parsed = parseJson(given === "-" ? await readText(world.stdin) : given, "the event");
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
