import type { Erasure } from "@tributary/shared/contracts/erasure";
import { asTributaryError } from "@tributary/shared/contracts/errors";
import { subjects } from "@tributary/shared/contracts/subjects";
import { encodeKeyedErasure, erasureToken } from "../core/keyed-erasure.ts";
import type { PartitionBook } from "../core/partition-book.ts";
import type { HeldLease, Parts } from "./parts.ts";

/**
 * The erasures of a partition, carried out by its owner: what the state does not have is published as an item of the series
 * and comes back to be applied in its place (S3); once a commit has it, the receipt is given. Whether an erasure is due is
 * asked of the state, never of the receipt: a state that was given up and read again from the stream does not have it.
 */
export class PartitionErasures {
  readonly #parts: Parts;
  readonly #lease: HeldLease;
  readonly #book: PartitionBook;
  /** Not in the state yet, or without a receipt. */
  readonly #open = new Set<Erasure>();
  readonly #published = new Set<string>();
  #known = 0;
  #isFailing = false;

  constructor(parts: Parts, lease: HeldLease, book: PartitionBook) {
    this.#parts = parts;
    this.#lease = lease;
    this.#book = book;
  }

  /** Publishes what is asked for and not in the state; what could not be published is tried again. */
  async publish(): Promise<void> {
    this.#learn();
    for (const erasure of this.#open) {
      if (this.#book.state.erased.covers(erasure) || this.#published.has(erasure.id)) continue;
      try {
        await this.#publishOne(erasure);
        this.#isFailing = false;
      } catch (error) {
        return this.#onTrouble("an erasure could not be published", error);
      }
    }
  }

  /** True when the state has all that was asked for. */
  get isApplied(): boolean {
    this.#learn();
    for (const erasure of this.#open) if (!this.#book.state.erased.covers(erasure)) return false;
    return true;
  }

  /** What a commit begun now makes durable and has no receipt yet. */
  carriedOut(): readonly Erasure[] {
    return [...this.#open].filter((erasure) => this.#book.isErased(erasure));
  }

  /** Behind the commit. One that cannot be given is given behind a later one. */
  async giveReceipts(erasures: readonly Erasure[]): Promise<void> {
    try {
      for (const erasure of erasures) {
        await this.#parts.erasures.giveReceipt(erasure.id);
        this.#open.delete(erasure);
      }
    } catch (error) {
      this.#onTrouble("the receipt of an erasure could not be given", error);
    }
  }

  #learn(): void {
    const { partition, catalog } = this.#book.state;
    const all = this.#parts.erasures.of(partition, catalog.partitions);
    for (; this.#known < all.length; this.#known++) {
      const erasure = all[this.#known] as Erasure;
      const isDone = this.#book.state.erased.covers(erasure) && this.#parts.erasures.hasReceipt(erasure.id);
      if (!isDone) this.#open.add(erasure);
    }
  }

  async #publishOne({ id, entity, key, eventTime }: Erasure): Promise<void> {
    const { partition } = this.#book.state;
    const item = { id, entity, key, eventTime, partition, producer: this.#parts.instance, fence: this.#lease.fence };
    const subject = subjects.keyed(partition, erasureToken, entity);
    const ack = await this.#parts.keyed.publish({ subject, data: encodeKeyedErasure(item), id: `erasure.${id}` });
    // A duplicate may be of an item that the stream has lost since: it is published until it is read, or stored again.
    if (!ack.duplicate) this.#published.add(id);
  }

  #onTrouble(what: string, thrown: unknown): void {
    const { code, message } = asTributaryError(thrown);
    const { partition } = this.#book.state;
    if (!this.#isFailing) this.#parts.logger.warn({ partition, code }, `${what}, trying again: ${message}`);
    this.#isFailing = true;
  }
}
