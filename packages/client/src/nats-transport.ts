import { TributaryError } from "@tributary/shared/contracts/errors";
import { eventMessageId } from "@tributary/shared/contracts/events";
import { columnsHeader, packedColumns } from "@tributary/shared/contracts/read";
import { subjects } from "@tributary/shared/contracts/subjects";
import type { Connection, PublishAck, Publisher } from "@tributary/shared/messaging/contract";
import { createPublisher } from "@tributary/shared/messaging/publisher";
import { request } from "@tributary/shared/messaging/request";
import { withSecondTry } from "./second-try.ts";
import type { EventMessage, Transport } from "./transport.ts";

const welcomesPacked = { [columnsHeader]: packedColumns };

interface Line {
  readonly connection: Connection;
  readonly publisher: Publisher;
}

/** Requests on one connection; events on another, opened at the first use, so that no burst stands in front of a read. */
export class NatsTransport implements Transport {
  readonly #connection: Connection;
  readonly #connectForEvents: () => Promise<Connection>;
  #line: Promise<Line> | undefined;

  constructor(connection: Connection, connectForEvents: () => Promise<Connection>) {
    this.#connection = connection;
    this.#connectForEvents = connectForEvents;
  }

  read(body: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    return withSecondTry(timeoutMs, (leftMs) =>
      request(this.#connection, subjects.readFeatures, body, { timeoutMs: leftMs, headers: welcomesPacked }),
    );
  }

  write(body: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    return request(this.#connection, subjects.writeRows, body, { timeoutMs }).catch(unansweredIsUnknown);
  }

  async publish({ source, data, id }: EventMessage): Promise<PublishAck> {
    const messageId = eventMessageId(source, id);
    const { publisher } = await this.#open();
    return publisher.publish({ subject: subjects.events(source), data, id: messageId });
  }

  async close(): Promise<void> {
    const line = await this.#line?.catch(() => undefined);
    await line?.publisher.close();
    await line?.connection.close();
    await this.#connection.close();
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
    const connection = await this.#connectForEvents();
    return { connection, publisher: createPublisher(connection, { stream: "TRIB_EVENTS" }) };
  }
}

/** A write without an answer may have happened. */
function unansweredIsUnknown(error: unknown): never {
  if (!(error instanceof TributaryError) || error.code !== "DEADLINE") throw error;
  throw new TributaryError("UNKNOWN_OUTCOME", "the gateway did not answer the write in time", { cause: error });
}
