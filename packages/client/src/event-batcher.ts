import { pack } from "@tributary/shared/codec/msgpack";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { limits } from "@tributary/shared/contracts/limits";
import type { PublishAck } from "@tributary/shared/messaging/contract";

/**
 * Many small events → few messages: JetStream takes large messages an order of magnitude faster. Events of one source wait for
 * company up to `lingerMs`, or until `bytesMax` are together; each caller learns when its own events are stored.
 */
export interface BatcherOptions {
  readonly send: (source: string, data: Uint8Array) => Promise<PublishAck>;
  /** Default 5 ms. */
  readonly lingerMs?: number;
  /** Of one message; default 64 KiB. */
  readonly bytesMax?: number;
  /** Given and not stored yet; above it `add` refuses. Default 64 MiB. */
  readonly pendingBytesMax?: number;
}

interface Batch {
  readonly events: Uint8Array[];
  bytes: number;
  readonly stored: PromiseWithResolvers<PublishAck>;
  readonly timer: NodeJS.Timeout;
}

interface PromiseWithResolvers<T> {
  readonly promise: Promise<T>;
  resolve(value: T | Promise<T>): void;
}

export class EventBatcher {
  readonly #options: Required<BatcherOptions>;
  readonly #open = new Map<string, Batch>();
  readonly #sending = new Set<Promise<unknown>>();
  #pendingBytes = 0;

  constructor(options: BatcherOptions) {
    this.#options = { lingerMs: 5, bytesMax: 64 * 1024, pendingBytesMax: 64 * 1024 * 1024, ...options };
  }

  /**
   * Resolves with the acknowledgement of the message that carries the event.
   * @throws TributaryError LIMIT_EXCEEDED for a large event, OVERLOADED when too much is pending, and what publishing throws
   */
  async add(source: string, event: unknown): Promise<PublishAck> {
    const bytes = packEvent(event);
    if (this.#pendingBytes + bytes.length > this.#options.pendingBytesMax) {
      throw new TributaryError("OVERLOADED", `${this.#pendingBytes} bytes of events wait to be stored: await publish`);
    }
    const batch = this.#batchFor(source, bytes.length);
    batch.events.push(bytes);
    batch.bytes += bytes.length;
    this.#pendingBytes += bytes.length;
    if (batch.bytes >= this.#options.bytesMax || batch.events.length >= limits.eventsPerMessageMax) this.#flush(source);
    return batch.stored.promise;
  }

  /** Sends what is waiting and resolves when everything is settled. */
  async close(): Promise<void> {
    for (const source of [...this.#open.keys()]) this.#flush(source);
    await Promise.allSettled(this.#sending);
  }

  #batchFor(source: string, bytes: number): Batch {
    const open = this.#open.get(source);
    if (open && open.bytes + bytes <= this.#options.bytesMax) return open;
    this.#flush(source);
    const timer = setTimeout(() => this.#flush(source), this.#options.lingerMs);
    const batch: Batch = { events: [], bytes: 0, stored: withResolvers(), timer };
    this.#open.set(source, batch);
    return batch;
  }

  #flush(source: string): void {
    const batch = this.#open.get(source);
    if (!batch) return;
    this.#open.delete(source);
    clearTimeout(batch.timer);
    const sending = this.#options.send(source, joinEvents(batch.events)).finally(() => {
      this.#pendingBytes -= batch.bytes;
      this.#sending.delete(sending);
    });
    this.#sending.add(sending);
    batch.stored.resolve(sending);
  }
}

/** One event as msgpack. @throws TributaryError LIMIT_EXCEEDED */
export function packEvent(event: unknown): Uint8Array {
  const bytes = pack(event);
  if (bytes.length + arrayHeaderBytes <= limits.eventBytesMax) return bytes;
  throw new TributaryError(
    "LIMIT_EXCEEDED",
    `an event has ${bytes.length} bytes, allowed are ${limits.eventBytesMax} (eventBytesMax)`,
  );
}

const arrayHeaderBytes = 5;

/** A msgpack array of events that are packed already: array32 header, then the items. */
export function joinEvents(events: readonly Uint8Array[]): Uint8Array {
  const header = new Uint8Array(arrayHeaderBytes);
  header[0] = 0xdd;
  new DataView(header.buffer).setUint32(1, events.length);
  return Buffer.concat([header, ...events]);
}

function withResolvers<T>(): PromiseWithResolvers<T> {
  let resolve: PromiseWithResolvers<T>["resolve"] = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
