import type { ErrorCode } from "../contracts/errors.ts";
import type { BucketName, StreamName } from "../contracts/topology.ts";

/**
 * What services see of the broker. Only the files of this folder know the `nats` package: a move to another client
 * touches nothing else. Each trap of that client is handled here, once.
 */
export interface Connection {
  /** The NATS user; also the inbox prefix `_INBOX.<user>`. */
  readonly user: string;
  readonly serverVersion: string;
  /** Bytes. */
  readonly payloadMax: number;
  /** Settles when the connection is closed for good; the error is absent after `close()`. */
  readonly closed: Promise<Error | undefined>;
  /** Drains, bounded in time, then closes. */
  close(): Promise<void>;
}

export type Headers = Readonly<Record<string, string>>;

export interface PublishAck {
  readonly stream: string;
  readonly sequence: number;
  readonly duplicate: boolean;
}

export interface PublishMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  /** Nats-Msg-Id: a resend with it inside the dedupe window is stored once. */
  readonly id?: string;
  readonly headers?: Headers;
}

export interface PublisherOptions {
  readonly stream: StreamName;
  /** Messages and bytes that may be unacknowledged; `publish` waits above it. Default 256 and 16 MiB. */
  readonly inFlightMax?: number;
  readonly inFlightBytesMax?: number;
  /** After this without an acknowledgement the message is sent again with the same id, ms. Default 2,000. */
  readonly ackTimeoutMs?: number;
  /**
   * Give up this long after the first send, ms (default 30,000; Infinity = for ever): UNKNOWN_OUTCOME, or STREAM_FULL when the
   * last answer was "stream full", or UNAVAILABLE when nobody ever answered because the stream does not exist.
   */
  readonly deadlineMs?: number;
}

export interface Publisher {
  /**
   * Resolves with the broker's acknowledgement. Waits for room first; messages of one subject are sent in call order.
   * @throws TributaryError STREAM_FULL, UNKNOWN_OUTCOME, UNAVAILABLE, LIMIT_EXCEEDED
   */
  publish(message: PublishMessage, options?: { readonly deadlineMs?: number }): Promise<PublishAck>;
  /** Creation time of the stream, epoch ms: the incarnation of sequences in its acknowledgements. Re-read on reconnect. */
  incarnation(): Promise<number>;
  readonly inFlight: number;
  close(): Promise<void>;
}

export interface DeliveredMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly headers: Headers;
  readonly stream: string;
  readonly sequence: number;
  /** The broker's timestamp, epoch ms. */
  readonly timestampMs: number;
  /** 1 for the first delivery. */
  readonly deliveries: number;
}

export type Outcome =
  | { readonly kind: "ack" }
  /**
   * Deliver again after `afterMs`. `counted: false` for outages: it never leads to the dead-letter stream. `pauses`: what holds
   * this message up would hold up every other, so nothing more is asked for until then.
   */
  | {
      readonly kind: "retry";
      readonly afterMs: number;
      readonly why: string;
      readonly counted: boolean;
      readonly pauses?: boolean;
    }
  /** Set aside in the dead-letter stream with its cause, then never again. */
  | { readonly kind: "reject"; readonly code: ErrorCode; readonly why: string };

export const ack: Outcome = { kind: "ack" };
export function retry(
  afterMs: number,
  why: string,
  options: { readonly counted: boolean; readonly pauses?: boolean } = { counted: true },
): Outcome {
  return { kind: "retry", afterMs, why, ...options };
}
export function reject(code: ErrorCode, why: string): Outcome {
  return { kind: "reject", code, why };
}

export interface ConsumeOptions {
  readonly stream: StreamName;
  readonly durable: string;
  /** For the dead letter's subject and record. */
  readonly lane: string;
  readonly process: string;
  /** Messages handed over at once, and held at most. Default 64. */
  readonly batchMax?: number;
  /**
   * One outcome a message, in order. A throw is a retry of the whole batch, each message then alone: counted, unless it is a
   * TributaryError of a retryable code, which is an outage and no message's fault.
   */
  readonly handle: (batch: readonly DeliveredMessage[]) => Promise<readonly Outcome[]>;
  /** Runs before a message is set aside; the message stays if it throws. The store writes its hold here. */
  readonly beforeDeadLetter?: (message: DeliveredMessage, code: ErrorCode, why: string) => Promise<void>;
  /** A message is set aside after this many counted failures. Default 5. */
  readonly triesMax?: number;
}

export interface ConsumeLoop {
  /** Creation time of the stream, epoch ms. */
  readonly incarnation: number;
  readonly counters: { readonly acked: number; readonly retried: number; readonly rejected: number };
  /** Everything up to this stream sequence is acknowledged, by any instance (asks the broker). */
  ackFloor(): Promise<number>;
  /** The greatest stream sequence that any instance was ever handed (asks the broker). */
  delivered(): Promise<number>;
  /** Rejects when the loop cannot go on (consumer or stream gone). */
  readonly failed: Promise<never>;
  /** Stops fetching, finishes what is in hand, acknowledges it. */
  stop(): Promise<void>;
}

/**
 * Reads a stream in order from a given sequence without acknowledgements: the position lives in the reader's own state.
 * Re-creates its consumer after reconnects and gaps, so that sequences handed over only grow and none is skipped silently.
 */
export interface CursorOptions {
  readonly stream: StreamName;
  /** Subject filter. */
  readonly filter: string;
  /** First sequence wanted; HISTORY_LOST when the stream begins above it. 0: whatever the stream still holds. */
  readonly from: number;
  /** Expected creation time, epoch ms; HISTORY_LOST when the stream's differs. Absent: any. */
  readonly incarnation?: number;
  /** Messages held at most. Default 256. */
  readonly bufferMax?: number;
}

export interface Cursor {
  readonly incarnation: number;
  /**
   * Every message of the filter up to this sequence has been handed over. While nothing comes it moves up to the stream's end
   * within seconds: a committed position then does not fall behind the retention just because its source is silent.
   */
  readonly position: number;
  /**
   * The next messages, in order, at most `max`; waits up to `waitMs` for the first and then takes what is there.
   * Empty when nothing came.
   * @throws TributaryError HISTORY_LOST when the stream was re-created, or begins after the wanted sequence
   */
  next(max: number, waitMs: number): Promise<readonly DeliveredMessage[]>;
  /**
   * True when every message of the filter that was stored before this call has been handed over by `next` (asks the broker:
   * nothing pending at the consumer, nothing delivered but not handed over). The proof of "nothing was pending" (C1, S2).
   * @throws TributaryError UNAVAILABLE when the broker does not answer
   */
  drained(): Promise<boolean>;
  close(): Promise<void>;
}

export interface StreamState {
  readonly incarnation: number;
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly messages: number;
  readonly bytes: number;
}

export interface EndpointRequest {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly headers: Headers;
  /** Real epoch ms after which nobody waits for the answer; from header `Tributary-Deadline-Ms`, else a default. */
  readonly deadlineMs: number;
  /** Who asks, as far as known: header `Tributary-Principal` set by trusted fronts, else the reply inbox's user. */
  readonly principal: string;
  /** The greatest reply that the broker carries, bytes. */
  readonly replyBytesMax: number;
}

export interface Endpoint {
  /** Micro endpoint name: letters, digits, `-`, `_`. */
  readonly name: string;
  readonly subject: string;
  /**
   * The reply's bytes; more than `replyBytesMax` of them become LIMIT_EXCEEDED. A thrown TributaryError becomes a micro error with
   * its code in header `Tributary-Error`.
   */
  readonly handle: (request: EndpointRequest) => Promise<Uint8Array>;
  readonly metadata?: Headers;
  /**
   * Present: every instance hears every request, and the one for which this is true works on it and answers; the others stay
   * silent, so a request that is nobody's ends at its asker's time-out. Absent: one instance hears it, whichever.
   */
  readonly isMine?: (request: EndpointRequest) => boolean;
  /** Requests worked on at once; above it OVERLOADED is answered at once. Default 64. */
  readonly concurrencyMax?: number;
  /** What STATS says of this endpoint beside what it says of the whole process. */
  readonly stats?: () => Readonly<Record<string, unknown>>;
}

export interface ServeOptions {
  /** Micro service name: the process's name, for example `online-store`. */
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly metadata?: Headers;
  /** What STATS says of this process beside the counters: `data` of each endpoint. Read when somebody asks. */
  readonly stats?: () => Readonly<Record<string, unknown>>;
  readonly endpoints: readonly Endpoint[];
}

export interface MicroService {
  readonly id: string;
  /** Rejects when an endpoint dies (permission, closed connection). */
  readonly failed: Promise<never>;
  /** Takes no new requests, finishes those in hand. */
  stop(): Promise<void>;
}

export interface RequestOptions {
  readonly timeoutMs?: number;
  readonly headers?: Headers;
}

export interface CollectOptions {
  /** No answer at all within this: the end, ms. Also the bound of the whole collection. */
  readonly waitMs: number;
  /** No further answer within this: the end, ms. */
  readonly quietMs: number;
  /** So many answers: the end. */
  readonly countMax?: number | undefined;
}

export interface BucketEntry {
  readonly key: string;
  readonly value: Uint8Array;
  readonly revision: number;
  /** The broker's timestamp of the entry, epoch ms. */
  readonly timestampMs: number;
}

export interface Bucket {
  readonly name: BucketName;
  get(key: string): Promise<BucketEntry | undefined>;
  /** Revision of the new entry. @throws TributaryError CATALOG_CONFLICT when the key exists */
  create(key: string, value: Uint8Array): Promise<number>;
  /** Compare-and-set. @throws TributaryError CATALOG_CONFLICT when the revision is not the given one */
  update(key: string, value: Uint8Array, revision: number): Promise<number>;
  put(key: string, value: Uint8Array): Promise<number>;
  keys(): Promise<string[]>;
  /**
   * Calls back with the entry now and at every change; also re-lists every `relistMs` (default 5,000), since a watch is a hint.
   * An entry whose callback gives a promise that rejects is told again with the next listing.
   */
  watch(
    key: string,
    onEntry: (entry: BucketEntry) => unknown,
    options?: { readonly relistMs?: number },
  ): Promise<{ stop(): Promise<void> }>;
}
