import { performance } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";
import { asTributaryError, TributaryError } from "@tributary/shared/contracts/errors";
import type { StreamRepublishReply, StreamRepublishRequest } from "@tributary/shared/contracts/republish";
import type { PartitionPosition } from "@tributary/shared/contracts/status";
import type { Cursor, DeliveredMessage } from "@tributary/shared/messaging/contract";
import { savePartition } from "../adapters/partition-store.ts";
import { settleRealMs } from "../core/evaluation.ts";
import type { TakeoverClock } from "../core/inherited-rows.ts";
import { decodeKeyedMessage, type KeyedMessage } from "../core/keyed-item.ts";
import type { PartitionBook } from "../core/partition-book.ts";
import { openPartition } from "./open-partition.ts";
import { PartitionErasures } from "./partition-erasures.ts";
import type { HeldLease, Parts, Worker } from "./parts.ts";
import { PartitionRepublisher } from "./republish-partition.ts";
import { RowTeller } from "./row-teller.ts";

/**
 * The actor of one partition. Three things happen to its book, never two at once:
 *   read      items of the partition's series are applied, in order;
 *   tick      keys that changed or are due are evaluated at one instant and published;
 *   commit    state, origins and position go to storage together, under the fence (S1).
 * A takeover reads from the committed position to the stream's end without a tick, then publishes the keys that the commit
 * names and all that was touched since, changed or not (S2).
 */
const readWaitMs = 500;
/** A commit of the position alone, when no key has changed. */
const idleCommitMs = 10_000;

export class PartitionOwner implements Worker {
  readonly ended: Promise<unknown>;
  readonly #parts: Parts;
  readonly #lease: HeldLease;
  readonly partition: number;
  #book: PartitionBook | undefined;
  #teller: RowTeller | undefined;
  #republisher: PartitionRepublisher | undefined;
  #erasures: PartitionErasures | undefined;
  #isStopping = false;
  #failure: unknown;
  #ticking: Promise<void> | undefined;
  #committing: Promise<void> | undefined;
  #committed = 0;
  #committedAtMs: number | undefined;
  #stopped: string | undefined;

  constructor(parts: Parts, lease: HeldLease, partition: number) {
    this.#parts = parts;
    this.#lease = lease;
    this.partition = partition;
    this.ended = this.#run().then(
      () => this.#failure,
      (error: unknown) => error ?? new Error("partition ended"),
    );
  }

  status(): PartitionPosition {
    return {
      partition: this.partition,
      fence: this.#lease.fence,
      incarnation: this.#book?.state.incarnation ?? 0,
      applied: this.#book?.state.position ?? 0,
      committed: this.#committed,
      unpublished: (this.#book?.unpublished ?? 0) + (this.#teller?.inFlight ?? 0),
      evaluatedAtMs: this.#teller?.evaluatedAtMs ?? 0,
      ...(this.#stopped !== undefined && { stopped: this.#stopped }),
    };
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.ended;
  }

  /** Publishes what changed or is due, commits when it is time; returns at once while the one before is still at work. */
  tick(): void {
    if (this.#teller === undefined || !this.#lease.isValid()) return;
    this.#ticking ??= this.#teller
      .tick()
      .catch((error) => this.#onFailure("rows could not be published", error))
      .finally(() => {
        this.#ticking = undefined;
      });
    if (!this.#isCommitDue()) return;
    this.#committing ??= this.#commit()
      .catch((error) => this.#onFailure("window state could not be committed", error))
      .finally(() => {
        this.#committing = undefined;
      });
  }

  /** False once the lease may have run out, and another may be the owner. */
  get isInCharge(): boolean {
    return !this.#isOver() && this.#lease.isValid();
  }

  /** @throws TributaryError UNAVAILABLE while the partition is not taken over or stands still; what `ask` throws */
  async republish(request: StreamRepublishRequest, deadlineMs: number): Promise<StreamRepublishReply> {
    if (this.#stopped !== undefined) throw this.#unavailable(`reads no further: ${this.#stopped}`);
    if (this.#republisher === undefined) throw this.#unavailable("is still being taken over; ask again");
    return this.#republisher.ask(request, deadlineMs);
  }

  onClockChange(): void {
    this.#teller?.onClockChange();
  }

  async #run(): Promise<void> {
    const { cursor, book } = await openPartition(this.#parts, this.partition);
    try {
      this.#book = book;
      this.#committed = book.state.position;
      const erasures = new PartitionErasures(this.#parts, this.#lease, book);
      this.#erasures = erasures;
      // Nothing is told that counts what was to be erased when this began.
      while (!this.#isOver() && !((await cursor.drained()) && erasures.isApplied)) await this.#readSome(cursor, book);
      // The first fence of all: nobody was here before.
      if (this.#lease.fence > 1) book.takenOver(takeoverClock(this.#parts));
      if (this.#stopped === undefined) this.#beginTelling(book);
      while (!this.#isOver()) await this.#readSome(cursor, book);
      await this.#finish();
    } finally {
      await cursor.close();
    }
  }

  #beginTelling(book: PartitionBook): void {
    const [parts, lease] = [this.#parts, this.#lease];
    const teller = new RowTeller(parts, book, lease.fence);
    this.#teller = teller;
    this.#republisher = new PartitionRepublisher({ parts, lease, book, teller });
  }

  #isOver(): boolean {
    return this.#isStopping || this.#failure !== undefined;
  }

  async #readSome(cursor: Cursor, book: PartitionBook): Promise<void> {
    if (this.#stopped !== undefined) return pause(readWaitMs);
    await this.#erasures?.publish();
    for (const message of await cursor.next(this.#parts.config.keyedBufferMax, readWaitMs))
      if (!(await this.#apply(book, message))) return;
  }

  /** False: what comes behind the message must not be read. */
  async #apply(book: PartitionBook, { sequence, data }: DeliveredMessage): Promise<boolean> {
    const item = this.#decode(sequence, data);
    if (item === undefined) return false;
    if (item.kind === "erasure") {
      book.applyErasure(item.erasure, sequence);
      return true;
    }
    if (!(await this.#takeUp(book, item.chunk.catalogVersion))) return false;
    const { nowMs, rate } = { nowMs: this.#parts.clock.now(), rate: this.#parts.clock.record.rate };
    book.apply(item.chunk, { sequence, nowMs, rate, counts: this.#parts.counters });
    return true;
  }

  /** O4: an item that cannot be read stops the partition; to skip it would let a later origin pass for ever. */
  #decode(sequence: number, data: Uint8Array): KeyedMessage | undefined {
    try {
      return decodeKeyedMessage(data);
    } catch (thrown) {
      const error = asTributaryError(thrown);
      this.#stopped = `message ${sequence} of TRIB_KEYED: ${error.message}`;
      this.#parts.logger.error(
        { partition: this.partition, sequence, code: error.code },
        `partition ${this.partition} stops: ${this.#stopped}`,
      );
      return undefined;
    }
  }

  /** R4: an unknown catalog version is waited for. The switch stands in the series, so state is a function of position (S3). */
  async #takeUp(book: PartitionBook, version: number): Promise<boolean> {
    while (version > book.state.catalog.version) {
      const catalog = await this.#parts.catalog.version(version);
      if (catalog !== undefined) book.switchCatalog(catalog);
      else if (this.#isOver()) return false;
      else {
        this.#parts.logger.warn({ partition: this.partition, version }, "waiting for a catalog version");
        await pause(readWaitMs);
      }
    }
    return true;
  }

  #isCommitDue(): boolean {
    if (this.#committedAtMs === undefined) return true;
    const hasMore = this.#book?.hasUnsaved || this.#erasures?.carriedOut().length;
    const everyMs = hasMore ? this.#parts.config.commitMs : idleCommitMs;
    return performance.now() - this.#committedAtMs >= everyMs;
  }

  async #commit(): Promise<void> {
    const book = this.#book;
    if (book === undefined) return;
    this.#committedAtMs = performance.now();
    const content = book.beginCommit();
    const erased = this.#erasures?.carriedOut() ?? [];
    try {
      await savePartition(this.#parts.database, this.#lease, { partition: this.partition, ...content });
      this.#committed = content.position;
      await this.#erasures?.giveReceipts(erased);
    } catch (error) {
      book.commitFailed();
      throw error;
    }
  }

  async #finish(): Promise<void> {
    await Promise.all([this.#ticking, this.#committing, this.#republisher?.stop()]);
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#teller !== undefined && this.#lease.isValid()) await this.#commit();
  }

  #unavailable(why: string): TributaryError {
    return new TributaryError("UNAVAILABLE", `partition ${this.partition} ${why}`);
  }

  /** An outage is tried again at the next tick; anything else, the fence above all, ends the work. */
  #onFailure(what: string, thrown: unknown): void {
    const error = asTributaryError(thrown);
    this.#parts.logger.warn({ partition: this.partition, code: error.code }, `${what}: ${error.message}`);
    if (!error.retryable) this.#failure ??= thrown;
  }
}

/** A lease changes hands within its life; an owner hears of another clock within `settleRealMs`. */
function takeoverClock({ clock, config }: Parts): TakeoverClock {
  const { rate, realMs } = clock.record;
  const isSteady = rate > 0 && Date.now() - realMs > config.leaseTtlMs + settleRealMs;
  return { nowMs: clock.now(), rate, isSteady };
}
