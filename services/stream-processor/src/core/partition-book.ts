import { isSpent } from "@tributary/shared/aggregation/key-state";
import { foreverMs } from "@tributary/shared/aggregation/row-schedule";
import type { Catalog } from "@tributary/shared/contracts/catalog";
import { type ApplyCounts, applyChunk } from "./apply-chunk.ts";
import { DueQueue } from "./due-queue.ts";
import { type ErasedKey, entriesOf, eraseKey } from "./erased-keys.ts";
import { type Evaluation, evaluate, type Lags, lagsAt } from "./evaluation.ts";
import { forgetBySwitch, idsUntilMs } from "./id-reach.ts";
import { InheritedRows, type TakeoverClock } from "./inherited-rows.ts";
import type { KeyedChunk } from "./keyed-item.ts";
import { isCurrent, type KeyEntry, type PartitionState, switchCatalog } from "./partition-state.ts";
import { type KeyName, type StoredKey, type StoredPartition, storeKey, storePartition } from "./partition-storage.ts";
import { nextDueMs, type Told } from "./row-emission.ts";
import type { RowToTell } from "./rows-chunk.ts";
import { UnsavedChanges } from "./unsaved-changes.ts";

/**
 * A partition's state together with what is still to be done about it: which keys are unpublished, which unsaved, which due
 * when. A key is unpublished from the event that touches it until its row is acknowledged or found unchanged; a commit made
 * meanwhile names it (S1), because its `told` is unknown or it still stands in the set.
 */
export interface ClockReading {
  readonly nowMs: number;
  readonly rate: number;
}

/** What a commit writes. */
export interface CommitContent extends StoredPartition {
  readonly saved: readonly StoredKey[];
  readonly removed: readonly KeyName[];
  readonly removedViews: readonly { readonly view: string; readonly viewVersion: number }[];
  /** In the order applied: of a key the last counts. */
  readonly erased: readonly ErasedKey[];
}

export class PartitionBook {
  readonly state: PartitionState;
  readonly #queue = new DueQueue<KeyEntry>();
  readonly #inherited = new InheritedRows();
  readonly #unpublished = new Set<KeyEntry>();
  readonly #unsaved = new UnsavedChanges();
  /** Keys of which readers see what an erasure has taken out, and its position. */
  readonly #cut = new WeakMap<KeyEntry, number>();

  constructor(state: PartitionState) {
    this.state = state;
  }

  get unpublished(): number {
    return this.#inherited.isPending ? this.#entries().length : this.#unpublished.size;
  }

  get hasUnsaved(): boolean {
    return !this.#unsaved.isEmpty;
  }

  /** After a takeover: keys the commit named are published whatever they hold (S2), the others when they are due. */
  resume(
    unpublished: readonly KeyEntry[],
    told: readonly { readonly entry: KeyEntry; readonly untilMs: number }[],
    clock: ClockReading,
  ): void {
    for (const entry of unpublished) {
      this.#touch(entry);
      if (this.state.erased.of(entry.view.view.entity)?.has(entry.key)) this.#cut.set(entry, this.state.position);
    }
    for (const { entry, untilMs } of told) this.#queue.push(entry, untilMs - lagsAt(clock.rate).marginMs);
  }

  /** After a takeover, when all that was there to read has been read. */
  takenOver(clock: TakeoverClock): void {
    this.#inherited.takenOver(clock, this.state.position);
  }

  apply(chunk: KeyedChunk, at: ClockReading & { readonly sequence: number; readonly counts: ApplyCounts }): void {
    applyChunk(this.state, chunk, {
      sequence: at.sequence,
      settledMs: at.nowMs - lagsAt(at.rate).settleLagMs,
      counts: at.counts,
      onTouched: (entry) => this.#touch(entry),
    });
  }

  /** An item of the series, like events (S3): what it takes out is gone in every owner that has read so far. */
  applyErasure(erasure: ErasedKey, sequence: number): void {
    const erased = eraseKey(this.state, erasure);
    this.state.position = sequence;
    if (erased === undefined) return;
    this.#unsaved.erased(erasure);
    for (const entry of erased.gone) this.#forget(entry);
    for (const entry of erased.changed) {
      this.#cut.set(entry, sequence);
      this.#touch(entry);
    }
  }

  /** True when the erasure is part of the state, and readers have been told of what it left. */
  isErased(erasure: ErasedKey): boolean {
    return this.state.erased.covers(erasure) && !entriesOf(this.state, erasure).some((entry) => this.#cut.has(entry));
  }

  switchCatalog(catalog: Catalog): void {
    for (const entry of forgetBySwitch(this.state, catalog)) this.#unsaved.changed(entry);
    for (const view of switchCatalog(this.state, catalog)) this.#unsaved.removedView(view);
  }

  /** Keys to evaluate at this instant; they count as unpublished until they are. */
  due(nowMs: number): KeyEntry[] {
    const inherited = this.#inherited.takeDue(nowMs, this.state.position);
    if (inherited !== undefined) this.#tellAgain(inherited);
    for (const entry of this.#queue.takeDue(nowMs)) this.#unpublished.add(entry);
    for (const entry of this.#unpublished) if (!isCurrent(this.state, entry)) this.#unpublished.delete(entry);
    return [...this.#unpublished];
  }

  /** Evaluates keys; what is to be emitted has to be reported as acknowledged or failed. */
  evaluate(entries: readonly KeyEntry[], clock: ClockReading): Evaluation {
    const current = entries.filter((entry) => isCurrent(this.state, entry));
    const lags = lagsAt(clock.rate);
    const evaluation = evaluate(this.state, current, { nowMs: clock.nowMs, lags });
    for (const { entry, told } of evaluation.emit) {
      this.#unpublished.delete(entry);
      entry.told = undefined;
      entry.sent = told.version;
    }
    for (const { entry, told } of evaluation.unchanged) {
      this.#unpublished.delete(entry);
      this.#cut.delete(entry);
      this.#requeue(entry, told, { seenMs: clock.nowMs, lags });
    }
    for (const entry of evaluation.waiting) this.#touch(entry);
    for (const entry of evaluation.spent) this.#drop(entry);
    return evaluation;
  }

  acknowledged(rows: readonly RowToTell[], clock: ClockReading): void {
    const lags = lagsAt(clock.rate);
    for (const { entry, told } of rows) {
      const isErased = this.state.erased.coversRow(entry, told.version);
      entry.told = isErased ? undefined : told;
      this.#unsaved.changed(entry);
      if (isErased) this.#touch(entry);
      if (told.version.sequence >= (this.#cut.get(entry) ?? Number.POSITIVE_INFINITY)) this.#cut.delete(entry);
      if (told.version.minor > clock.nowMs) this.#touch(entry);
      this.#requeue(entry, told, { seenMs: told.version.minor, lags });
    }
  }

  /** The rows may be published or not: their keys are published again. */
  failed(rows: readonly RowToTell[]): void {
    for (const { entry } of rows) this.#touch(entry);
  }

  /** The clock was paused, resumed or set: it may stand before what was evaluated, and what is due when changes. */
  clockChanged({ nowMs, rate }: ClockReading): void {
    const lags = lagsAt(rate);
    this.#inherited.clockChanged(nowMs, this.state.position);
    for (const entry of this.#entries()) {
      if (entry.checkedMs > nowMs) this.#touch(entry);
      else if (entry.told !== undefined) this.#requeue(entry, entry.told, { seenMs: entry.checkedMs, lags });
    }
  }

  /**
   * What the last acknowledged rows of keys say, to be sent again as they were (V5). Of the other keys nobody knows it (a
   * takeover, a row on its way): their next evaluation publishes them, which `isTold` tells.
   */
  toldAgain(entries: readonly KeyEntry[]): { readonly rows: RowToTell[]; readonly unknown: KeyEntry[] } {
    const rows: RowToTell[] = [];
    const unknown: KeyEntry[] = [];
    for (const entry of entries) {
      if (!isCurrent(this.state, entry)) continue;
      if (entry.told !== undefined) rows.push({ entry, told: entry.told });
      else unknown.push(entry);
    }
    for (const entry of unknown) this.#unpublished.add(entry);
    return { rows, unknown };
  }

  /** True once the key's last row is acknowledged, or the key is gone. */
  isTold(entry: KeyEntry): boolean {
    return entry.told !== undefined || !isCurrent(this.state, entry);
  }

  /** Everything since the commit before, as of now; report how it went before the next. */
  beginCommit(): CommitContent {
    const { keys, ...rest } = this.#unsaved.beginCommit();
    const saved = [...keys]
      .filter((entry) => isCurrent(this.state, entry))
      .map((entry) => storeKey(entry, !this.#unpublished.has(entry)));
    return { ...storePartition(this.state), ...rest, saved };
  }

  commitFailed(): void {
    this.#unsaved.commitFailed();
  }

  /** Every key of which nothing was sent above that position. */
  #tellAgain(position: number): void {
    for (const entry of this.#entries()) {
      if (entry.sent !== undefined && entry.sent.sequence > position) continue;
      entry.told = undefined;
      this.#touch(entry);
    }
  }

  #entries(): KeyEntry[] {
    return [...this.state.views.values()].flatMap((view) => [...view.keys.values()]);
  }

  #touch(entry: KeyEntry): void {
    this.#unpublished.add(entry);
    this.#unsaved.changed(entry);
  }

  #requeue(entry: KeyEntry, told: Told, { seenMs, lags }: { seenMs: number; lags: Lags }): void {
    this.#queue.push(entry, Math.max(nextDueMs(told.row, seenMs, lags), this.#restUntilMs(entry, told, seenMs)));
  }

  /** A key kept for its ids alone is looked at when they may go, and then about once a hop. */
  #restUntilMs(entry: KeyEntry, told: Told, seenMs: number): number {
    if (told.row.schedule.untilMs !== foreverMs || !isSpent(entry.state)) return Number.NEGATIVE_INFINITY;
    const untilMs = idsUntilMs(this.state, entry);
    return untilMs > seenMs || !Number.isFinite(untilMs) ? untilMs : seenMs + entry.view.layout.hopMs;
  }

  #drop(entry: KeyEntry): void {
    entry.view.keys.delete(entry.key);
    this.#forget(entry);
  }

  #forget(entry: KeyEntry): void {
    this.#unpublished.delete(entry);
    this.#unsaved.removed(entry);
  }
}
