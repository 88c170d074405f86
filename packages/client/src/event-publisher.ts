import { randomUUID } from "node:crypto";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { subjects } from "@tributary/shared/contracts/subjects";
import type { Connection, PublishAck, Publisher } from "@tributary/shared/messaging/contract";
import { createPublisher } from "@tributary/shared/messaging/publisher";
import { EventBatcher, joinEvents, packEvent } from "./event-batcher.ts";
import { toWireRecord } from "./input-value.ts";
import type { PublishOptions } from "./tributary.ts";

interface Line {
  readonly connection: Connection;
  readonly publisher: Publisher;
}

/** Publishes events on a connection of its own, opened at the first use, so that no burst stands in front of a read. */
export class EventPublisher {
  readonly #connect: () => Promise<Connection>;
  readonly #batcher: EventBatcher;
  #line: Promise<Line> | undefined;

  constructor(connect: () => Promise<Connection>) {
    this.#connect = connect;
    this.#batcher = new EventBatcher({ send: (source, data) => this.#send(source, data, randomUUID()) });
  }

  /** Resolves with the acknowledgement of the message that carries the last event. */
  async publish(source: string, events: readonly object[], { id }: PublishOptions): Promise<PublishAck> {
    const records = events.map((event) => toWireRecord(event, source));
    const acks =
      id === undefined
        ? await Promise.all(records.map((record) => this.#batcher.add(source, record)))
        : [await this.#send(source, joinEvents(records.map(packEvent)), id)];
    const last = acks.at(-1);
    if (!last) throw new TributaryError("MALFORMED", `no events of source "${source}" were given`);
    return last;
  }

  async close(): Promise<void> {
    await this.#batcher.close();
    const line = await this.#line?.catch(() => undefined);
    await line?.publisher.close();
    await line?.connection.close();
  }

  async #send(source: string, data: Uint8Array, id: string): Promise<PublishAck> {
    const { publisher } = await this.#open();
    return publisher.publish({ subject: subjects.events(source), data, id });
  }

  #open(): Promise<Line> {
    // A failed attempt is not kept: the next publish tries again.
    this.#line ??= this.#dial().catch((error: unknown) => {
      this.#line = undefined;
      throw error;
    });
    return this.#line;
  }

  async #dial(): Promise<Line> {
    const connection = await this.#connect();
    return { connection, publisher: createPublisher(connection, { stream: "TRIB_EVENTS" }) };
  }
}
