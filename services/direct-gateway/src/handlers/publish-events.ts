import { randomUUID } from "node:crypto";
import { decodeEvents } from "@tributary/shared/admission/decode-events";
import type { Encoding } from "@tributary/shared/codec/json-or-msgpack";
import { checkedSourceName, eventMessageId } from "@tributary/shared/contracts/events";
import { subjects } from "@tributary/shared/contracts/subjects";
import type { PublishAck, Publisher } from "@tributary/shared/messaging/contract";
import type { Metrics } from "../metrics.ts";

export interface EventsContext {
  readonly publisher: Publisher;
  readonly metrics: Metrics;
}

export interface EventsRequest {
  readonly source: string;
  readonly body: Uint8Array;
  /** The message's own: the same again within two minutes is stored once. */
  readonly id: string | undefined;
}

export interface EventsAnswer {
  readonly reply: PublishAck;
  readonly encoding: Encoding;
}

/**
 * Events for programs that cannot reach the broker: what comes over HTTP is stored as it came, like a message of any program,
 * and the answer is the broker's own acknowledgement.
 * @throws TributaryError UNKNOWN_SOURCE, MALFORMED, LIMIT_EXCEEDED, STREAM_FULL, UNKNOWN_OUTCOME, UNAVAILABLE
 */
export async function publishEvents(context: EventsContext, request: EventsRequest): Promise<EventsAnswer> {
  const source = checkedSourceName(request.source);
  const { events, encoding } = decodeEvents(request.body);
  const id = eventMessageId(source, request.id ?? randomUUID());
  const reply = await context.publisher.publish({ subject: subjects.events(source), data: request.body, id });
  context.metrics.countEvents(events.length);
  return { reply, encoding };
}
