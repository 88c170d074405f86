import { setTimeout as pause } from "node:timers/promises";
import type { Erasure } from "@tributary/shared/contracts/erasure";
import type { Bucket, Cursor, DeliveredMessage } from "@tributary/shared/messaging/contract";
import { giveReceipt, readErasureEntry } from "@tributary/shared/messaging/erasure-bucket";
import type { Logger } from "@tributary/shared/runtime/logger";
import type { Records } from "../adapters/redis-records.ts";
import { ErasureBook } from "../core/erasure-book.ts";
import { applyErasures, type ErasedAt } from "./apply-writes.ts";
import type { ErasedRecords } from "./erased-records.ts";

/**
 * Carries out erasures: each that is asked for, and all of them again in a new epoch and under a new catalog version, which may
 * give a view a record of its own. Every instance does it, harmlessly. What is written meanwhile asks `erasedAt`, which knows
 * all that was asked for before anything is applied.
 */
export interface Erasures {
  readonly erasedAt: ErasedAt;
  /**
   * Resolves when all that is known is applied to what Redis holds in this epoch: before that nothing is read of it (R2). Asked
   * again it costs nothing.
   * @throws TributaryError UNAVAILABLE
   */
  appliedIn(epoch: string): Promise<void>;
  /** From when it is known what Redis holds. */
  start(epoch: () => string): void;
  stop(): Promise<void>;
}

export interface ErasureOptions {
  readonly bucket: Bucket;
  /** Every entry of the bucket, from the first, erasures and receipts. */
  readonly open: () => Promise<Cursor>;
  readonly records: Records;
  readonly places: ErasedRecords;
  readonly service: string;
  readonly instance: string;
  readonly logger: Logger;
}

const messagesMax = 256;
const waitMs = 500;
const recordsAtOnceMax = 500;

/** @throws TributaryError UNAVAILABLE: without them nothing may be applied */
export async function followErasures(options: ErasureOptions): Promise<Erasures> {
  const follower = new Follower(options);
  await follower.learn();
  return follower;
}

class Follower implements Erasures {
  readonly #options: ErasureOptions;
  readonly #book = new ErasureBook();
  /** Ids of which this service has given its receipt. */
  readonly #receipts = new Set<string>();
  readonly #stopping = new AbortController();
  #cursor: Cursor | undefined;
  #running: Promise<void> = Promise.resolve();
  /** What all that is known is applied to. */
  #appliedTo = "";
  /** The epoch in which it was, before anybody read of it, and the work on that. */
  #readableIn = "";
  #preparing: Promise<void> = Promise.resolve();
  #isFailing = false;
  readonly erasedAt = this.#book.erasedAt;

  constructor(options: ErasureOptions) {
    this.#options = options;
  }

  async learn(): Promise<void> {
    const cursor = await this.#options.open();
    this.#cursor = cursor;
    do this.#note(await cursor.next(messagesMax, 50));
    while (!(await cursor.drained()));
  }

  appliedIn(epoch: string): Promise<void> {
    const prepared = this.#preparing.then(() => this.#prepare(epoch));
    this.#preparing = prepared.catch(() => undefined);
    return prepared;
  }

  async #prepare(epoch: string): Promise<void> {
    if (this.#readableIn === epoch) return;
    await this.#options.places.refresh();
    await this.#erase(this.#book.all);
    this.#readableIn = epoch;
  }

  start(epoch: () => string): void {
    this.#running = this.#run(epoch);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await this.#cursor?.close();
  }

  async #run(epoch: () => string): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      try {
        await this.#round(epoch());
        this.#isFailing = false;
      } catch (error) {
        await this.#onTrouble(error);
      }
    }
  }

  async #round(epoch: string): Promise<void> {
    const { places } = this.#options;
    const target = `${epoch} ${await places.refresh()}`;
    if (target !== this.#appliedTo) await this.#apply(this.#book.all);
    this.#appliedTo = target;
    this.#cursor ??= await this.#options.open();
    await this.#apply(this.#note(await this.#cursor.next(messagesMax, waitMs)));
  }

  /** All of it again, and from the bucket's first entry on: it may have been made anew. */
  async #onTrouble(error: unknown): Promise<void> {
    if (!this.#isFailing) this.#options.logger.warn({ error: String(error) }, "erasures wait");
    this.#isFailing = true;
    this.#appliedTo = "";
    await this.#cursor?.close().catch(() => undefined);
    this.#cursor = undefined;
    await pause(waitMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
  }

  /** The erasures that were not known. */
  #note(messages: readonly DeliveredMessage[]): Erasure[] {
    const added: Erasure[] = [];
    for (const message of messages) {
      const entry = readErasureEntry(message);
      if (entry?.kind === "receipt" && entry.service === this.#options.service) this.#receipts.add(entry.id);
      if (entry?.kind !== "erasure") continue;
      const { id, erasure } = entry;
      if (erasure === undefined) this.#options.logger.error({ id }, "an erasure is not of a form this build reads");
      else if (this.#book.add(erasure)) added.push(erasure);
    }
    return added;
  }

  async #apply(erasures: readonly Erasure[]): Promise<void> {
    for (const { id } of await this.#erase(erasures)) await this.#giveReceipt(id);
  }

  /** Those that are carried out. */
  async #erase(erasures: readonly Erasure[]): Promise<Erasure[]> {
    const { records, places } = this.#options;
    const done: Erasure[] = [];
    for (let i = 0; i < erasures.length; i += recordsAtOnceMax) {
      const slice = erasures.slice(i, i + recordsAtOnceMax);
      const keys = new Set(slice.flatMap((erasure) => places.of(erasure).map(({ key }) => key)));
      const { corrupt } = await applyErasures(records, [...keys], this.erasedAt);
      const isLeft = (erasure: Erasure) => places.of(erasure).some(({ key }) => corrupt.has(key));
      done.push(...slice.filter((erasure) => !isLeft(erasure)));
      const left = slice.filter(isLeft).map(({ id }) => id);
      if (left.length > 0) this.#options.logger.error({ ids: left }, "records to be erased fail their checks");
    }
    return done;
  }

  async #giveReceipt(id: string): Promise<void> {
    if (this.#receipts.has(id)) return;
    await giveReceipt(this.#options.bucket, id, this.#options);
    this.#receipts.add(id);
  }
}
