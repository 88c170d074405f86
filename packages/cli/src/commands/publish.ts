import type { Tributary } from "@tributary/client/tributary";
import { asTributaryError, TributaryError } from "@tributary/shared/contracts/errors";
import type { PublishAck } from "@tributary/shared/messaging/contract";
import { parseJson } from "../arguments.ts";
import { requireEventSource } from "../catalog/event-source.ts";
import type { Invocation } from "../command.ts";
import { type EventGroup, eventGroups } from "../input/event-groups.ts";
import { readJson } from "../input/json-document.ts";
import type { CommandResult } from "../output.ts";
import { withClient, withConnection } from "../with-connection.ts";

export interface PublishFlags {
  readonly id?: string;
}

export async function run(invocation: Invocation<PublishFlags>): Promise<CommandResult> {
  const { args, options, settings, output, world } = invocation;
  const [source = "", given = ""] = args;
  if (given === "-") output.note("reading events from standard input, one JSON object a line");
  await withConnection(settings.natsUrl(), (connection) => requireEventSource(connection, source));
  return withClient(settings.natsUrl(), async (client) => {
    if (given === "-" && options.id === undefined) return publishStream(client, source, invocation);
    const parsed = given === "-" ? await readJson(world.stdin, "the input") : parseJson(given, "the event");
    const events = (Array.isArray(parsed) ? parsed : [parsed]).map(asEvent);
    const ack = await client.publish(source, events, options.id === undefined ? {} : { id: options.id });
    return resultOf({ events: events.length, line: undefined, ack });
  });
}

function asEvent(value: unknown): object {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new TributaryError("MALFORMED", "an event must be a JSON object");
}

/** How far the input is stored for certain. */
interface Stored {
  readonly events: number;
  /** Of the input; undefined when the events were an argument. */
  readonly line: number | undefined;
  readonly ack: PublishAck | undefined;
}

/** One group after the other: when it ends early, everything before a line is stored and nothing behind another. */
async function publishStream(
  client: Tributary,
  source: string,
  { world, output, interruption }: Invocation<PublishFlags>,
): Promise<CommandResult> {
  let stored: Stored = { events: 0, line: 0, ack: undefined };
  interruption.underWay(() => `${stored.events} events are stored, up to line ${stored.line}`);
  try {
    for await (const group of eventGroups(world.stdin)) {
      const ack = await client.publish(source, group.events).catch((error) => inPart(error, group));
      stored = { events: stored.events + group.events.length, line: group.lastLine, ack };
      output.progress.update({ what: `${source}:`, done: stored.events, unit: "events stored" });
    }
  } catch (thrown) {
    if (stored.events === 0) throw thrown;
    return { ...resultOf(stored), error: asTributaryError(thrown) };
  }
  if (stored.events === 0) throw new TributaryError("MALFORMED", "there are no events in the input");
  return resultOf(stored);
}

function inPart(thrown: unknown, { firstLine, lastLine }: EventGroup): never {
  const { code, message } = asTributaryError(thrown);
  const what = `${message}; of lines ${firstLine} to ${lastLine} some events may be stored`;
  throw new TributaryError(code, what, { cause: thrown });
}

function resultOf({ events, line, ack }: Stored): CommandResult {
  const place = { stream: ack?.stream, sequence: ack?.sequence, duplicate: ack?.duplicate };
  const data = { events, ...(line !== undefined && { line }), ...place };
  return { data, text: `${events} stored, ${ack?.stream} sequence ${ack?.sequence}` };
}
