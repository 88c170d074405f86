import { createInbox, type Msg, nuid, type Subscription } from "nats";
import { TributaryError } from "../contracts/errors.ts";
import { type Client, clientOf } from "./client.ts";
import type { Connection, PublishAck, Publisher, PublisherOptions, PublishMessage } from "./contract.ts";
import { headerBytes, toHeaderBlock } from "./header-block.ts";
import { noteRefused, noteSent, overdueError, type PendingPublish } from "./pending-publish.ts";
import { readPublishAnswer } from "./publish-answer.ts";
import { readStreamState } from "./stream-state.ts";

/**
 * Publishes with a window: many messages in flight, each sent again with the same id until it is acknowledged, refused or
 * overdue. The client library neither bounds what it buffers nor sends again what a lost connection swallowed.
 *
 * Invariants: first sends happen in call order; while one message is refused (stream full, nobody listening) no further
 * message is sent for the first time; a message without an id gets one, so that sending it again never stores it twice
 * inside the stream's dedupe window. A longer `deadlineMs` than that window trades this for persistence.
 */
export function createPublisher(connection: Connection, options: PublisherOptions): Publisher {
  return createStreamPublisher(connection, options);
}

/** The same for any stream, a bucket's included. */
export function createStreamPublisher(
  connection: Connection,
  options: Omit<PublisherOptions, "stream"> & { readonly stream: string },
): Publisher {
  return new WindowedPublisher(connection, {
    inFlightMax: 256,
    inFlightBytesMax: 16 * 1024 * 1024,
    ackTimeoutMs: 2_000,
    deadlineMs: 30_000,
    ...options,
  });
}

type Settings = Required<Omit<PublisherOptions, "stream">> & { readonly stream: string };

const sweepMs = 50;
const closeMsMax = 5_000;

class WindowedPublisher implements Publisher {
  readonly #connection: Connection;
  readonly #client: Client;
  readonly #settings: Settings;
  readonly #inbox: string;
  readonly #subscription: Subscription;
  readonly #unlisten: () => void;
  readonly #inFlight = new Map<string, PendingPublish>();
  readonly #waiting = new Set<PendingPublish>();
  #bytes = 0;
  #tokens = 0;
  #progressAt = 0;
  #isClosed = false;
  #sweep: NodeJS.Timeout | undefined;
  #incarnation: Promise<number> | undefined;

  constructor(connection: Connection, settings: Settings) {
    this.#connection = connection;
    this.#client = clientOf(connection);
    this.#settings = settings;
    this.#inbox = createInbox(`_INBOX.${connection.user}`);
    this.#subscription = this.#client.nats.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) => {
        if (error === null) this.#onAnswer(message);
      },
    });
    this.#unlisten = this.#client.listen({
      onReconnect: () => this.#onReconnect(),
      onPublishRefused: (subject) => this.#onPublishRefused(subject),
      onClosed: () => this.#abandon("the connection is closed"),
    });
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  publish(message: PublishMessage, options: { readonly deadlineMs?: number } = {}): Promise<PublishAck> {
    const headers = {
      ...message.headers,
      "Nats-Msg-Id": message.id ?? nuid.next(),
      "Nats-Expected-Stream": this.#settings.stream,
    };
    const bytes = message.data.length + headerBytes(headers);
    const refusal = this.#refusal(message.subject, bytes);
    if (refusal !== undefined) return Promise.reject(refusal);
    return new Promise((resolve, reject) => {
      this.#waiting.add({
        token: (this.#tokens++).toString(36),
        subject: message.subject,
        data: message.data,
        headers: toHeaderBlock(headers),
        bytes,
        deadlineMs: options.deadlineMs ?? this.#settings.deadlineMs,
        resolve,
        reject,
        calledAt: performance.now(),
        sentAt: undefined,
        nextSendAt: 0,
        sends: 0,
        isAwaiting: false,
        isDoubtful: false,
        last: "none",
      });
      this.#pump();
      this.#startSweep();
    });
  }

  #refusal(subject: string, bytes: number): TributaryError | undefined {
    if (this.#isClosed) return new TributaryError("UNAVAILABLE", `${subject}: the publisher is closed`);
    if (bytes <= this.#connection.payloadMax) return undefined;
    const limit = `the broker's limit of ${this.#connection.payloadMax} bytes`;
    return new TributaryError("LIMIT_EXCEEDED", `${subject}: a message of ${bytes} bytes is above ${limit}`);
  }

  incarnation(): Promise<number> {
    this.#incarnation ??= readStreamState(this.#connection, this.#settings.stream).then(
      (state) => state.incarnation,
      (error: unknown) => {
        this.#incarnation = undefined;
        throw error;
      },
    );
    return this.#incarnation;
  }

  async close(): Promise<void> {
    const until = performance.now() + closeMsMax;
    this.#isClosed = true;
    while (this.#inFlight.size + this.#waiting.size > 0 && performance.now() < until && !this.#client.nats.isClosed()) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    this.#unlisten();
    this.#abandon("the publisher was closed");
    if (!this.#client.nats.isClosed()) this.#subscription.unsubscribe();
  }

  #pump(): void {
    for (const item of this.#waiting) {
      if (!this.#hasRoom(item)) return;
      this.#waiting.delete(item);
      this.#inFlight.set(item.token, item);
      this.#bytes += item.bytes;
      this.#send(item);
    }
  }

  #hasRoom(item: PendingPublish): boolean {
    if (!this.#client.isConnected() || this.#blockedBy() !== "none") return false;
    if (this.#inFlight.size === 0) return true;
    const { inFlightMax, inFlightBytesMax } = this.#settings;
    return this.#inFlight.size < inFlightMax && this.#bytes + item.bytes <= inFlightBytesMax;
  }

  /** The oldest message in flight tells: a refusal reaches it first, and it is the first to be sent again. */
  #blockedBy(): PendingPublish["last"] {
    for (const item of this.#inFlight.values()) return item.last;
    return "none";
  }

  #send(item: PendingPublish): void {
    noteSent(item, performance.now(), this.#settings.ackTimeoutMs);
    const reply = `${this.#inbox}.${item.token}`;
    try {
      const { subject, data, headers } = item;
      this.#client.nats.publish(subject, data, headers === undefined ? { reply } : { reply, headers });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const code = item.sends > 1 ? "UNKNOWN_OUTCOME" : "UNAVAILABLE";
      this.#fail(item, new TributaryError(code, `${item.subject} cannot be sent: ${why}`));
    }
  }

  #onAnswer(message: Msg): void {
    const item = this.#inFlight.get(message.subject.slice(this.#inbox.length + 1));
    if (item === undefined) return;
    const answer = readPublishAnswer(message, item.subject);
    if (answer.kind === "refused") this.#fail(item, answer.error);
    else if (answer.kind === "stored") this.#onStored(item, answer.ack);
    else noteRefused(item, answer.kind, performance.now());
  }

  #onStored(item: PendingPublish, ack: PublishAck): void {
    this.#settle(item);
    this.#progressAt = performance.now();
    if (item.last !== "none") this.#hurryRefused();
    item.resolve(ack);
    this.#pump();
  }

  /** The stream takes messages again: no use in waiting out the pauses of the others. */
  #hurryRefused(): void {
    for (const item of this.#inFlight.values()) if (item.last !== "none" && !item.isAwaiting) item.nextSendAt = 0;
  }

  #fail(item: PendingPublish, error: TributaryError): void {
    this.#settle(item);
    item.reject(error);
    this.#pump();
  }

  #settle(item: PendingPublish): void {
    if (this.#waiting.delete(item)) return;
    if (this.#inFlight.delete(item.token)) this.#bytes -= item.bytes;
  }

  #startSweep(): void {
    this.#sweep ??= setInterval(() => this.#onSweep(performance.now()), sweepMs).unref();
  }

  #onSweep(now: number): void {
    this.#endOverdue(now);
    if (this.#client.isConnected()) {
      for (const item of this.#inFlight.values()) if (now >= item.nextSendAt) this.#send(item);
      this.#pump();
    }
    if (this.#inFlight.size + this.#waiting.size > 0) return;
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }

  /** What still waits for room fails for the reason of those in front of it. */
  #endOverdue(now: number): void {
    const blockedBy = this.#blockedBy();
    for (const item of this.#overdue(now)) {
      if (item.sends === 0) item.last = blockedBy;
      this.#settle(item);
      item.reject(overdueError(item, this.#settings.stream));
    }
  }

  /** Waiting for room behind a lane that moves is no failure: such a message's time counts from the last progress. */
  #overdue(now: number): PendingPublish[] {
    const since = this.#progressAt;
    return [
      ...[...this.#inFlight.values()].filter((item) => now >= (item.sentAt ?? now) + item.deadlineMs),
      ...[...this.#waiting].filter((item) => now >= Math.max(item.calledAt, since) + item.deadlineMs),
    ];
  }

  #onReconnect(): void {
    this.#incarnation = undefined;
    for (const item of [...this.#inFlight.values()]) this.#send(item);
    this.#pump();
  }

  #onPublishRefused(subject: string): void {
    const error = new TributaryError("BAD_CONFIG", `user "${this.#connection.user}" may not publish to ${subject}`);
    for (const item of [...this.#inFlight.values()]) if (item.subject === subject) this.#fail(item, error);
  }

  #abandon(why: string): void {
    this.#isClosed = true;
    clearInterval(this.#sweep);
    this.#sweep = undefined;
    for (const item of [...this.#inFlight.values(), ...this.#waiting]) {
      const code = item.sends === 0 ? "UNAVAILABLE" : "UNKNOWN_OUTCOME";
      this.#settle(item);
      item.reject(new TributaryError(code, `${item.subject}: ${why}`));
    }
  }
}
