import { setTimeout as pause } from "node:timers/promises";
import { partitionOf } from "@tributary/shared/contracts/entity-key";
import type { Erasure } from "@tributary/shared/contracts/erasure";
import { nameSchema } from "@tributary/shared/contracts/feature";
import { openBucket } from "@tributary/shared/messaging/bucket";
import type { Bucket, Connection, Cursor, DeliveredMessage } from "@tributary/shared/messaging/contract";
import { openStreamCursor } from "@tributary/shared/messaging/cursor";
import { giveReceipt, readErasureEntry } from "@tributary/shared/messaging/erasure-bucket";
import type { Logger } from "@tributary/shared/runtime/logger";

/**
 * Every erasure that was ever asked for, as `TRIB_ERASURES` has it: known before any partition is taken over, followed from
 * then on. Who owns a key's partition carries its erasure out and gives the receipt.
 */
export interface Erasures {
  /** Of a partition, in the order they were learned; grows, and never changes otherwise. */
  of(partition: number, partitions: number): readonly Erasure[];
  hasReceipt(id: string): boolean;
  /** @throws TributaryError UNAVAILABLE, UNKNOWN_OUTCOME, STREAM_FULL */
  giveReceipt(id: string): Promise<void>;
  stop(): Promise<void>;
}

export interface ErasureOptions {
  readonly instance: string;
  readonly logger: Logger;
}

const service = "stream-processor";
const messagesMax = 256;
const waitMs = 500;

/** @throws TributaryError UNAVAILABLE, MISSING_RESOURCE */
export async function followErasures(connection: Connection, options: ErasureOptions): Promise<Erasures> {
  const bucket = await openBucket(connection, "TRIB_ERASURES");
  const open = () =>
    openStreamCursor(connection, { stream: `KV_${bucket.name}`, filter: `$KV.${bucket.name}.>`, from: 0 });
  const follower = new Follower(bucket, open, options);
  await follower.learn();
  return follower;
}

class Follower implements Erasures {
  readonly #bucket: Bucket;
  readonly #open: () => Promise<Cursor>;
  readonly #options: ErasureOptions;
  readonly #all = new Map<string, Erasure>();
  readonly #receipts = new Set<string>();
  readonly #stopping = new AbortController();
  /** By partition, for this number of them. */
  #index = { partitions: 0, lists: [] as Erasure[][] };
  #cursor: Cursor | undefined;
  #running: Promise<void> = Promise.resolve();
  #isFailing = false;

  constructor(bucket: Bucket, open: () => Promise<Cursor>, options: ErasureOptions) {
    this.#bucket = bucket;
    this.#open = open;
    this.#options = options;
  }

  async learn(): Promise<void> {
    const cursor = await this.#open();
    this.#cursor = cursor;
    do this.#note(await cursor.next(messagesMax, 50));
    while (!(await cursor.drained()));
    this.#running = this.#run();
  }

  of(partition: number, partitions: number): readonly Erasure[] {
    if (partitions !== this.#index.partitions) {
      this.#index = { partitions, lists: Array.from({ length: partitions }, () => []) };
      for (const erasure of this.#all.values()) this.#file(erasure);
    }
    return this.#index.lists[partition] ?? [];
  }

  hasReceipt(id: string): boolean {
    return this.#receipts.has(id);
  }

  async giveReceipt(id: string): Promise<void> {
    await giveReceipt(this.#bucket, id, { service, instance: this.#options.instance });
    this.#receipts.add(id);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await this.#cursor?.close();
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      try {
        this.#cursor ??= await this.#open();
        this.#note(await this.#cursor.next(messagesMax, waitMs));
        this.#isFailing = false;
      } catch (error) {
        await this.#onTrouble(error);
      }
    }
  }

  /** From the bucket's first entry on: it may have been made anew. */
  async #onTrouble(error: unknown): Promise<void> {
    if (!this.#isFailing) this.#options.logger.warn({ error: String(error) }, "erasures asked for now have to wait");
    this.#isFailing = true;
    await this.#cursor?.close().catch(() => undefined);
    this.#cursor = undefined;
    await pause(waitMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
  }

  #note(messages: readonly DeliveredMessage[]): void {
    for (const message of messages) {
      const entry = readErasureEntry(message);
      if (entry?.kind === "receipt" && entry.service === service) this.#receipts.add(entry.id);
      if (entry?.kind !== "erasure" || this.#all.has(entry.id)) continue;
      const { id, erasure } = entry;
      // The entity's name stands in a subject.
      if (erasure !== undefined && nameSchema.safeParse(erasure.entity).success) this.#add(erasure);
      else this.#options.logger.error({ id }, "an erasure is not of a form this build reads");
    }
  }

  #add(erasure: Erasure): void {
    this.#all.set(erasure.id, erasure);
    if (this.#index.partitions > 0) this.#file(erasure);
  }

  #file(erasure: Erasure): void {
    const { partitions, lists } = this.#index;
    lists[partitionOf(erasure.key, partitions)]?.push(erasure);
  }
}
