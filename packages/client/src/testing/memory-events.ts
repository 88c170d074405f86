import { decodeEvents } from "@tributary/shared/admission/decode-events";
import { type EventRecord, eventMessageId } from "@tributary/shared/contracts/events";
import type { PublishAck } from "@tributary/shared/messaging/contract";
import type { EventMessage } from "../transport.ts";
import { MemoryStream } from "./memory-stream.ts";

/** How long the broker knows a message by its id, ms. */
const dedupeWindowMs = 120_000;

interface Stored {
  readonly ack: PublishAck;
  readonly atMs: number;
}

/** Published events, in order, kept for the test to look at. */
export class MemoryEvents {
  readonly #stream = new MemoryStream();
  readonly #bySource = new Map<string, EventRecord[]>();
  readonly #byId = new Map<string, Stored>();

  /** @throws TributaryError MALFORMED, LIMIT_EXCEEDED */
  publish({ source, data, id }: EventMessage, nowMs: number): PublishAck {
    const messageId = eventMessageId(source, id);
    const { events } = decodeEvents(data);
    const known = this.#byId.get(messageId);
    if (known && nowMs - known.atMs < dedupeWindowMs) return { ...known.ack, duplicate: true };
    this.#bySource.set(source, [...this.of(source), ...events]);
    const ack = { stream: "TRIB_EVENTS", sequence: this.#stream.next(), duplicate: false };
    this.#byId.set(messageId, { ack, atMs: nowMs });
    return ack;
  }

  of(source: string): readonly EventRecord[] {
    return this.#bySource.get(source) ?? [];
  }
}
