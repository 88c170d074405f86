import { randomUUID } from "node:crypto";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { checkedSourceName } from "@tributary/shared/contracts/events";
import { limits } from "@tributary/shared/contracts/limits";
import type { PublishAck } from "@tributary/shared/messaging/contract";
import { EventBatcher, joinEvents, packEvent } from "./event-batcher.ts";
import { toWireRecord } from "./input-value.ts";
import type { Transport } from "./transport.ts";
import type { PublishOptions } from "./tributary.ts";

type Send = Transport["publish"];

/** Events of an application as messages: gathered when they come one by one, a message of their own when they have an id. */
export class EventPublisher {
  readonly #send: Send;
  readonly #batcher: EventBatcher;

  constructor(send: Send) {
    this.#send = send;
    this.#batcher = new EventBatcher({
      send: (source, data) => send({ source, data, id: randomUUID() }),
    });
  }

  /** Resolves with the acknowledgement of the message that carries the last event. */
  async publish(source: string, events: readonly object[], { id }: PublishOptions): Promise<PublishAck> {
    const name = checkedSourceName(source);
    const records = events.map((event) => toWireRecord(event, name));
    const acks =
      id === undefined
        ? await Promise.all(records.map((record) => this.#batcher.add(name, record)))
        : [await this.#send({ source: name, data: oneMessage(records), id })];
    const last = acks.at(-1);
    if (!last) throw new TributaryError("MALFORMED", `no events of source "${name}" were given`);
    return last;
  }

  close(): Promise<void> {
    return this.#batcher.close();
  }
}

/** What is read as one message must be small enough to be read: a larger one would be set aside whole. */
function oneMessage(records: readonly object[]): Uint8Array {
  if (records.length === 0) throw new TributaryError("MALFORMED", "no events were given");
  const data = joinEvents(records.map(packEvent));
  if (data.length <= limits.eventBytesMax && records.length <= limits.eventsPerMessageMax) return data;
  const allowed = `allowed are ${limits.eventsPerMessageMax} (eventsPerMessageMax) and ${limits.eventBytesMax} (eventBytesMax)`;
  throw new TributaryError(
    "LIMIT_EXCEEDED",
    `${records.length} events of ${data.length} bytes under one id; ${allowed}`,
  );
}
