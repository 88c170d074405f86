import { performance } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";
import { asTributaryError, TributaryError } from "@tributary/shared/contracts/errors";
import type { PartitionPosition } from "@tributary/shared/contracts/status";
import type { Cursor, DeliveredMessage } from "@tributary/shared/messaging/contract";
import { savePartition } from "../adapters/partition-store.ts";
import { DueQueue } from "../core/due-queue.ts";
import { type Evaluation, evaluate, lagsAt } from "../core/evaluation.ts";
import { decodeKeyedChunk, type KeyedChunk } from "../core/keyed-item.ts";
import {
  applyChunk,
  isCurrent,
  type KeyEntry,
  leastMark,
  type PartitionState,
  switchCatalog,
} from "../core/partition-state.ts";
import { type KeyName, nameOf, storeKey, storePartition } from "../core/partition-storage.ts";
import { nextDueMs } from "../core/row-emission.ts";
import type { RowToTell } from "../core/rows-chunk.ts";
import { openPartition } from "./open-partition.ts";
import { publishConfirmation, publishRows } from "./partition-publish.ts";
import type { HeldLease, Parts, Worker } from "./parts.ts";

/**
 * The actor of one partition. Three things happen to its state, never two at once:
 *   read      items of the partition's series are applied, in order;
 *   tick      keys that changed or are due are evaluated at one instant, published, and told once acknowledged;
 *   commit    state, origins and position go to storage together, under the fence (S1).
 * A takeover reads from the committed position to the end without a tick, then publishes the keys that the commit names
 * and all that was touched since, changed or not (S2): their `told` is unknown.
 */
const evaluatedAtOnce = 500;
const readWaitMs = 500;
/** A commit of the position alone, when no key has changed. */
const idleCommitMs = 10_000;

export class PartitionOwner implements Worker {
  readonly ended: Promise<unknown>;
  readonly #parts: Parts;
  readonly #lease: HeldLease;
  readonly #partition: number;
  readonly #queue = new DueQueue<KeyEntry>();
  #state: PartitionState | undefined;
  #unpublished = new Set<KeyEntry>();
  #unsaved = new Set<KeyEntry>();
  #removed: KeyName[] = [];
  #removedViews: { view: string; viewVersion: number }[] = [];
  #inFlight = 0;
  #evaluatedAtMs = 0;
  #isLive = false;
  #isStopping = false;
  #failure: unknown;
  #ticking: Promise<void> | undefined;
  #committing: Promise<void> | undefined;
  #committed = 0;
  #committedAtMs = 0;
  #confirmedAtMs = 0;
  readonly #confirmed = new Map<string, number>();
  #stopped: string | undefined;

  constructor(parts: Parts, lease: HeldLease, partition: number) {
    this.#parts = parts;
    this.#lease = lease;
    this.#partition = partition;
    this.ended = this.#run().then(
      () => this.#failure,
      (error: unknown) => error ?? new Error("partition ended"),
    );
  }

  status(): PartitionPosition {
    return {
      partition: this.#partition,
      fence: this.#lease.fence,
      incarnation: this.#state?.incarnation ?? 0,
      applied: this.#state?.position ?? 0,
      committed: this.#committed,
      unpublished: this.#unpublished.size + this.#inFlight,
      evaluatedAtMs: this.#isLive ? this.#evaluatedAtMs : 0,
      ...(this.#stopped !== undefined && { stopped: this.#stopped }),
    };
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.ended;
  }

  /** Publishes what changed or is due; returns at once while the tick before is still at work. */
  tick(): void {
    if (!this.#isLive || this.#ticking !== undefined || !this.#lease.isValid()) return;
    this.#ticking = this.#tick()
      .catch((error) => this.#onFailure("rows could not be published", error))
      .finally(() => {
        this.#ticking = undefined;
      });
    this.#commitWhenDue();
  }

  /** The clock was paused, resumed or set: what is due when changes, and it may stand before what was evaluated already. */
  onClockChange(): void {
    if (this.#state === undefined) return;
    const nowMs = this.#parts.clock.now();
    this.#evaluatedAtMs = Math.min(this.#evaluatedAtMs, nowMs);
    for (const view of this.#state.views.values())
      for (const entry of view.keys.values()) {
        if (entry.told === undefined) continue;
        if (entry.told.version.minor > nowMs) this.#touch(entry);
        else this.#queue.push(entry, nextDueMs(entry.told.row, nowMs, this.#lags()));
      }
  }

  async #run(): Promise<void> {
    const { cursor, state, unpublished, told } = await openPartition(this.#parts, this.#partition);
    try {
      this.#state = state;
      this.#committed = state.position;
      for (const entry of unpublished) this.#touch(entry);
      for (const { entry, untilMs } of told) this.#queue.push(entry, untilMs - this.#lags().marginMs);
      await this.#catchUp(cursor);
      await this.#read(cursor);
      await this.#ticking;
      await this.#finish();
    } finally {
      await cursor.close();
    }
  }

  async #catchUp(cursor: Cursor): Promise<void> {
    const started = performance.now();
    while (!this.#isOver() && !(await cursor.drained())) await this.#readSome(cursor);
    this.#isLive = this.#stopped === undefined;
    const ms = Math.round(performance.now() - started);
    this.#parts.logger.debug({ partition: this.#partition, position: this.#state?.position, ms }, "partition taken");
  }

  async #read(cursor: Cursor): Promise<void> {
    while (!this.#isOver()) await this.#readSome(cursor);
    if (this.#failure !== undefined) throw this.#failure;
  }

  #isOver(): boolean {
    return this.#isStopping || this.#failure !== undefined;
  }

  /** O4: an item that cannot be read stops the partition; to skip it would let a later origin pass for ever. */
  async #readSome(cursor: Cursor): Promise<void> {
    if (this.#stopped !== undefined) return pause(readWaitMs);
    for (const message of await cursor.next(this.#parts.config.keyedBufferMax, readWaitMs)) {
      const chunk = this.#decode(message);
      if (chunk === undefined) return;
      if (!(await this.#takeUp(chunk.catalogVersion))) return;
      this.#apply(chunk, message.sequence);
    }
  }

  #decode(message: DeliveredMessage): KeyedChunk | undefined {
    try {
      return decodeKeyedChunk(message.data);
    } catch (thrown) {
      const error = asTributaryError(thrown);
      this.#stopped = `message ${message.sequence} of TRIB_KEYED: ${error.message}`;
      this.#parts.logger.error(
        { partition: this.#partition, sequence: message.sequence, code: error.code },
        `partition ${this.#partition} stops: ${this.#stopped}`,
      );
      return undefined;
    }
  }

  #apply(chunk: KeyedChunk, sequence: number): void {
    applyChunk(this.#current(), chunk, {
      sequence,
      settledMs: this.#parts.clock.now() - this.#lags().settleLagMs,
      counts: this.#parts.counters,
      onTouched: (entry) => this.#touch(entry),
    });
  }

  /** R4: a catalog version that is not known yet is waited for. The switch is part of the series, so that state is a function of position. */
  async #takeUp(version: number): Promise<boolean> {
    const state = this.#current();
    while (version > state.catalog.version) {
      const catalog = await this.#parts.catalog.version(version);
      if (catalog !== undefined) {
        for (const { view } of switchCatalog(state, catalog))
          this.#removedViews.push({ view: view.name, viewVersion: view.version });
        return true;
      }
      if (this.#isOver()) return false;
      this.#parts.logger.warn({ partition: this.#partition, version }, "waiting for a catalog version");
      await pause(readWaitMs);
    }
    return true;
  }

  #touch(entry: KeyEntry): void {
    this.#unpublished.add(entry);
    this.#unsaved.add(entry);
  }

  async #tick(): Promise<void> {
    const state = this.#current();
    const nowMs = this.#parts.clock.now();
    const marks = [...state.views.values()].map((view) => ({ view, markMs: leastMark(state, view.view) }));
    for (const entry of this.#queue.takeDue(nowMs)) this.#unpublished.add(entry);
    const list = [...this.#unpublished];
    let waiting = 0;
    while (list.length > 0) {
      const entries = list.splice(0, evaluatedAtOnce).filter((entry) => isCurrent(state, entry));
      const evaluation = evaluate(state, entries, { nowMs, lags: this.#lags() });
      waiting += evaluation.waiting.length;
      await this.#tell(evaluation);
    }
    for (const entry of this.#unpublished) if (!isCurrent(state, entry)) this.#unpublished.delete(entry);
    this.#evaluatedAtMs = Math.min(nowMs, this.#parts.clock.now());
    if (waiting === 0) await this.#confirm(marks);
  }

  /** A key stays unpublished, and is committed as such, until it is evaluated; from then on its `told` is unknown. */
  async #tell({ emit, unchanged, waiting, spent }: Evaluation): Promise<void> {
    for (const { entry } of [...emit, ...unchanged]) this.#unpublished.delete(entry);
    for (const entry of waiting) this.#touch(entry);
    for (const { entry, told } of unchanged) this.#requeue(entry, told.row);
    for (const entry of spent) this.#drop(entry);
    this.#parts.counters.rowsUnchanged += unchanged.length + spent.length;
    for (const { entry } of emit) entry.told = undefined;
    this.#inFlight = emit.length;
    try {
      await publishRows(this.#parts, this.#current(), emit, {
        producer: this.#parts.instance,
        fence: this.#lease.fence,
      });
    } catch (error) {
      for (const { entry } of emit) this.#touch(entry);
      throw error;
    } finally {
      this.#inFlight = 0;
    }
    this.#parts.counters.rowsPublished += emit.length;
    for (const row of emit) this.#onAcknowledged(row);
  }

  #onAcknowledged({ entry, told }: RowToTell): void {
    entry.told = told;
    this.#unsaved.add(entry);
    if (told.version.minor > this.#parts.clock.now()) this.#touch(entry);
    this.#requeue(entry, told.row);
  }

  #requeue(entry: KeyEntry, row: RowToTell["told"]["row"]): void {
    this.#queue.push(entry, nextDueMs(row, this.#parts.clock.now(), this.#lags()));
  }

  #drop(entry: KeyEntry): void {
    entry.view.keys.delete(entry.key);
    this.#unpublished.delete(entry);
    this.#unsaved.delete(entry);
    this.#removed.push(nameOf(entry));
  }

  /** C2: the least mark read before the rows were evaluated, once these are acknowledged; never this clock. */
  async #confirm(marks: readonly { view: KeyEntry["view"]; markMs: number | undefined }[]): Promise<void> {
    if (performance.now() - this.#confirmedAtMs < this.#parts.config.markMs) return;
    this.#confirmedAtMs = performance.now();
    const origin = { producer: this.#parts.instance, fence: this.#lease.fence };
    for (const { view, markMs } of marks) {
      if (markMs === undefined || markMs <= (this.#confirmed.get(view.view.name) ?? Number.NEGATIVE_INFINITY)) continue;
      await publishConfirmation(this.#parts, this.#current(), { view, confirmedAtMs: markMs, origin });
      this.#confirmed.set(view.view.name, markMs);
    }
  }

  #commitWhenDue(): void {
    const sinceMs = performance.now() - this.#committedAtMs;
    const hasChanges = this.#unsaved.size + this.#removed.length + this.#removedViews.length > 0;
    const isFirst = this.#committedAtMs === 0;
    if (
      this.#committing !== undefined ||
      !(isFirst || sinceMs >= (hasChanges ? this.#parts.config.commitMs : idleCommitMs))
    )
      return;
    this.#committing = this.#commit()
      .catch((error) => this.#onFailure("window state could not be committed", error))
      .finally(() => {
        this.#committing = undefined;
      });
  }

  async #commit(): Promise<void> {
    const state = this.#current();
    this.#committedAtMs = performance.now();
    const [unsaved, removed, removedViews] = [this.#unsaved, this.#removed, this.#removedViews];
    [this.#unsaved, this.#removed, this.#removedViews] = [new Set(), [], []];
    const stored = storePartition(state);
    const saved = [...unsaved]
      .filter((entry) => isCurrent(state, entry))
      .map((entry) => storeKey(entry, !this.#unpublished.has(entry)));
    try {
      await savePartition(this.#parts.database, this.#lease, {
        ...stored,
        partition: this.#partition,
        saved,
        removed,
        removedViews,
      });
      this.#committed = stored.position;
    } catch (error) {
      for (const entry of unsaved) this.#unsaved.add(entry);
      this.#removed.unshift(...removed);
      this.#removedViews.unshift(...removedViews);
      throw error;
    }
  }

  async #finish(): Promise<void> {
    await this.#committing;
    if (this.#isLive && this.#lease.isValid()) await this.#commit();
  }

  /** An outage is tried again at the next tick; anything else, the fence above all, ends the work. */
  #onFailure(what: string, thrown: unknown): void {
    const error = asTributaryError(thrown);
    const isOutage = error.retryable && error.code !== "FENCED";
    this.#parts.logger.warn({ partition: this.#partition, code: error.code }, `${what}: ${error.message}`);
    if (!isOutage) this.#failure ??= thrown;
  }

  #current(): PartitionState {
    if (this.#state === undefined) throw new TributaryError("INTERNAL", "the partition is not open");
    return this.#state;
  }

  #lags() {
    return lagsAt(this.#parts.clock.record.rate);
  }
}
