import { decodePayload, type Encoding } from "../codec/json-or-msgpack.ts";
import { TributaryError } from "../contracts/errors.ts";
import type { EventRecord } from "../contracts/events.ts";
import { limits } from "../contracts/limits.ts";

export interface DecodedEvents {
  readonly events: readonly EventRecord[];
  readonly encoding: Encoding;
}

/**
 * One event or an array of them from bytes of anybody: size and shape only. Fields are judged where the stream is read, against
 * the source as it is then, and what does not fit is set aside there.
 * @throws TributaryError MALFORMED, LIMIT_EXCEEDED
 */
export function decodeEvents(body: Uint8Array): DecodedEvents {
  if (body.length > limits.eventBytesMax) throw tooLarge(`${body.length} bytes`, "eventBytesMax");
  const { value, encoding } = decodePayload(body);
  const events: unknown[] = Array.isArray(value) ? value : [value];
  if (events.length === 0) throw new TributaryError("MALFORMED", "a message of events holds at least one");
  if (events.length > limits.eventsPerMessageMax) throw tooLarge(`${events.length} events`, "eventsPerMessageMax");
  const odd = events.findIndex((event) => !isRecord(event));
  if (odd >= 0) throw new TributaryError("MALFORMED", `event ${odd} of the message is not an object of named fields`);
  return { events: events as EventRecord[], encoding };
}

function isRecord(event: unknown): boolean {
  return typeof event === "object" && event !== null && !Array.isArray(event) && !(event instanceof Uint8Array);
}

function tooLarge(what: string, limit: "eventBytesMax" | "eventsPerMessageMax"): TributaryError {
  return new TributaryError(
    "LIMIT_EXCEEDED",
    `a message of ${what} of events; allowed are ${limits[limit]} (${limit})`,
  );
}
