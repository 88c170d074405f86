import { setTimeout as pause } from "node:timers/promises";
import { asTributaryError, TributaryError } from "@tributary/shared/contracts/errors";
import type { StreamRepublishReply, StreamRepublishRequest } from "@tributary/shared/contracts/republish";
import { readStreamState } from "@tributary/shared/messaging/stream-state";
import type { PartitionBook } from "../core/partition-book.ts";
import type { KeyEntry, ViewState } from "../core/partition-state.ts";
import { askedViews } from "../core/republish-views.ts";
import { publishConfirmation, publishRows } from "./partition-publish.ts";
import type { HeldLease, Parts } from "./parts.ts";
import type { RowTeller } from "./row-teller.ts";

/**
 * Sends what a partition's readers were told once more, every row with the version it had (R5, V5), and behind each view's
 * rows the confirmation that says so. Reading and ticking go on in between: whatever they publish has a newer version. A key
 * whose last row is not known is published by the next tick, and waited for. One at a time; asked again under the same id it
 * is joined, because who asked may have waited in vain and come again.
 */
export interface RepublishParts {
  readonly parts: Parts;
  readonly lease: HeldLease;
  readonly book: PartitionBook;
  readonly teller: RowTeller;
}

interface Job {
  readonly name: string;
  readonly reply: Promise<StreamRepublishReply>;
  /** Real epoch ms: until then somebody waits for the reply. */
  untilMs: number;
}

/** Rows on their way at once, unacknowledged. */
const rowsAtOnce = 1_000;
/** A job outlives those who wait for it by this, so that who asks again can join it. */
const patienceMs = 10_000;
/** The word that it is still going on has to reach who asked before the deadline. */
const wordAheadMs = 100;

export class PartitionRepublisher {
  readonly #with: RepublishParts;
  #job: Job | undefined;
  #isStopping = false;

  constructor(parts: RepublishParts) {
    this.#with = parts;
  }

  /**
   * Everything that was asked for, sent and acknowledged.
   * @throws TributaryError UNKNOWN_VIEW, WRONG_LANE, STALE_CATALOG, OVERLOADED, UNAVAILABLE, DEADLINE
   */
  async ask(request: StreamRepublishRequest, deadlineMs: number): Promise<StreamRepublishReply> {
    const name = `${request.id} of ${request.view ?? "every view"}`;
    if (this.#job !== undefined && this.#job.name !== name)
      throw this.#refusal("OVERLOADED", `is being sent for republish ${this.#job.name}; ask again when that is done`);
    this.#job ??= this.#begin(name, request);
    this.#job.untilMs = Math.max(this.#job.untilMs, deadlineMs);
    return this.#untilDeadline(this.#job.reply, deadlineMs);
  }

  /** What is under way ends with an error, and without its confirmation. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#job?.reply.catch(() => undefined);
  }

  #begin(name: string, request: StreamRepublishRequest): Job {
    const reply = this.#run(request).finally(() => {
      this.#job = undefined;
    });
    reply.catch((error: unknown) => {
      const { code, message } = asTributaryError(error);
      this.#with.parts.logger.warn({ code, republish: name }, `not republished: ${message}`);
    });
    return { name, reply, untilMs: 0 };
  }

  async #run({ id, view }: StreamRepublishRequest): Promise<StreamRepublishReply> {
    const { parts, book, lease } = this.#with;
    // Whoever asked is put down as waiting before the first look at the time.
    await Promise.resolve();
    const views = askedViews(book.state, parts.catalog.current, view);
    const rows: Record<string, number> = {};
    for (const each of views) rows[each.view.name] = await this.#sendView(each);
    const { partition } = book.state;
    parts.logger.info({ partition, republish: id, rows }, `partition ${partition} was sent again`);
    return { partition, fence: lease.fence, rows };
  }

  /** How many keys. */
  async #sendView(view: ViewState): Promise<number> {
    const { parts, book, teller } = this.#with;
    const { lastSequence } = await readStreamState(parts.consuming, "TRIB_ROWS_STREAM");
    const rows = await this.#sendRows(view);
    await this.#assertOwner(view);
    const confirmedAtMs = teller.confirmableMs(view) ?? 0;
    const since = rows > 0 ? { since: lastSequence + 1 } : {};
    await publishConfirmation(parts, book.state, {
      view,
      confirmedAtMs,
      origin: this.#origin(),
      whole: true,
      ...since,
    });
    return rows;
  }

  /** How many keys; every row of theirs stands in the stream behind where it ended before. */
  async #sendRows(view: ViewState): Promise<number> {
    const entries = [...view.keys.values()];
    const unknown = await this.#sendTold(view, entries);
    for (const entry of unknown) await this.#untilTold(view, entry);
    return entries.length;
  }

  /** Gives back those whose row nobody knows and is still to be published. */
  async #sendTold(view: ViewState, entries: readonly KeyEntry[]): Promise<readonly KeyEntry[]> {
    const { parts, book } = this.#with;
    const toCome: KeyEntry[] = [];
    // A row that was on its way may have been stored before this began: it is sent again once it is told.
    const onTheirWay: KeyEntry[] = [];
    for (let at = 0; at < entries.length; at += rowsAtOnce) {
      this.#assertGoingOn(view);
      const { rows, unknown } = book.toldAgain(entries.slice(at, at + rowsAtOnce));
      for (const entry of unknown) (entry.sent === undefined ? toCome : onTheirWay).push(entry);
      await publishRows(parts, book.state, rows, this.#origin());
    }
    if (onTheirWay.length === 0) return toCome;
    for (const entry of onTheirWay) await this.#untilTold(view, entry);
    return [...toCome, ...(await this.#sendTold(view, onTheirWay))];
  }

  async #untilTold(view: ViewState, entry: KeyEntry): Promise<void> {
    const { parts, book } = this.#with;
    while (!book.isTold(entry)) {
      this.#assertGoingOn(view);
      await pause(parts.config.coalesceMs);
    }
  }

  #assertGoingOn(view: ViewState): void {
    const { lease, book } = this.#with;
    if (this.#isStopping || !lease.isValid()) throw this.#changedHands();
    if (book.state.views.get(view.view.name) !== view)
      throw this.#refusal("STALE_CATALOG", `has taken up another catalog meanwhile; ask again`);
    if (Date.now() > (this.#job?.untilMs ?? 0) + patienceMs)
      throw this.#refusal("DEADLINE", "is not sent yet, and nobody waits for it any more; ask again");
  }

  /** The database says whose the partition is: one who was late would call whole what lacks its successor's rows. */
  async #assertOwner(view: ViewState): Promise<void> {
    this.#assertGoingOn(view);
    const { parts, lease } = this.#with;
    try {
      await parts.database.fenced(lease, async () => undefined);
    } catch (error) {
      throw asTributaryError(error).code === "FENCED" ? this.#changedHands() : error;
    }
    this.#assertGoingOn(view);
  }

  async #untilDeadline<T>(work: Promise<T>, deadlineMs: number): Promise<T> {
    const over = new AbortController();
    const late = pause(Math.max(0, deadlineMs - wordAheadMs - Date.now()), undefined, { signal: over.signal }).then(
      () => {
        throw this.#refusal("DEADLINE", "is still being sent; ask again with the same id");
      },
    );
    // It is left behind when the work is done first.
    late.catch(() => undefined);
    return Promise.race([work, late]).finally(() => over.abort());
  }

  #changedHands(): TributaryError {
    return this.#refusal("UNAVAILABLE", "goes to another owner; ask again");
  }

  #refusal(code: "OVERLOADED" | "UNAVAILABLE" | "DEADLINE" | "STALE_CATALOG", why: string): TributaryError {
    return new TributaryError(code, `partition ${this.#with.book.state.partition} ${why}`);
  }

  #origin() {
    return { producer: this.#with.parts.instance, fence: this.#with.lease.fence };
  }
}
