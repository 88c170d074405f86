import { performance } from "node:perf_hooks";
import type { Evaluation } from "../core/evaluation.ts";
import { leastMark } from "../core/marks.ts";
import type { ClockReading, PartitionBook } from "../core/partition-book.ts";
import type { ViewState } from "../core/partition-state.ts";
import { publishConfirmation, publishRows } from "./partition-publish.ts";
import type { Parts } from "./parts.ts";

/** Publishes a partition's rows and confirmations; one tick at a time. */
const evaluatedAtOnce = 500;

interface ConfirmableMark {
  readonly view: ViewState;
  readonly markMs: number | undefined;
}

export class RowTeller {
  readonly #parts: Parts;
  readonly #book: PartitionBook;
  readonly #origin: { readonly producer: string; readonly fence: number };
  #inFlight = 0;
  #evaluatedAtMs = 0;
  #confirmedAtMs = 0;
  readonly #confirmed = new Map<string, number>();
  #confirmable: readonly ConfirmableMark[] = [];

  constructor(parts: Parts, book: PartitionBook, fence: number) {
    this.#parts = parts;
    this.#book = book;
    this.#origin = { producer: parts.instance, fence };
  }

  /** Rows that are published and not acknowledged. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** The instant up to which every row has been evaluated and acknowledged, epoch ms on the clock. */
  get evaluatedAtMs(): number {
    return this.#evaluatedAtMs;
  }

  async tick(): Promise<void> {
    const { nowMs, rate } = this.#clock();
    const marks = this.#marks();
    const due = this.#book.due(nowMs);
    let waiting = 0;
    for (let at = 0; at < due.length; at += evaluatedAtOnce) {
      const evaluation = this.#book.evaluate(due.slice(at, at + evaluatedAtOnce), { nowMs, rate });
      waiting += evaluation.waiting.length;
      await this.#tell(evaluation);
    }
    this.#evaluatedAtMs = Math.min(nowMs, this.#clock().nowMs);
    if (waiting > 0) return;
    this.#confirmable = marks;
    await this.#confirm();
  }

  /** C2: up to where everything that this view was given is published and acknowledged; undefined: nothing is known of it. */
  confirmableMs(view: ViewState): number | undefined {
    return this.#confirmable.find((mark) => mark.view === view)?.markMs;
  }

  onClockChange(): void {
    const clock = this.#clock();
    this.#evaluatedAtMs = Math.min(this.#evaluatedAtMs, clock.nowMs);
    this.#book.clockChanged(clock);
  }

  async #tell({ emit, unchanged, spent }: Evaluation): Promise<void> {
    this.#parts.counters.rowsUnchanged += unchanged.length + spent.length;
    this.#inFlight = emit.length;
    try {
      await publishRows(this.#parts, this.#book.state, emit, this.#origin);
      this.#book.acknowledged(emit, this.#clock());
      this.#parts.counters.rowsPublished += emit.length;
    } catch (error) {
      this.#book.failed(emit);
      throw error;
    } finally {
      this.#inFlight = 0;
    }
  }

  #marks(): ConfirmableMark[] {
    const { state } = this.#book;
    return [...state.views.values()].map((view) => ({ view, markMs: leastMark(state, view.view) }));
  }

  /** C2: the least mark read before the rows were evaluated, once these are acknowledged; never this clock. */
  async #confirm(): Promise<void> {
    if (performance.now() - this.#confirmedAtMs < this.#parts.config.markMs) return;
    this.#confirmedAtMs = performance.now();
    for (const { view, markMs } of this.#confirmable) {
      if (markMs === undefined || markMs <= (this.#confirmed.get(view.view.name) ?? Number.NEGATIVE_INFINITY)) continue;
      await publishConfirmation(this.#parts, this.#book.state, { view, confirmedAtMs: markMs, origin: this.#origin });
      this.#confirmed.set(view.view.name, markMs);
    }
  }

  #clock(): ClockReading {
    return { nowMs: this.#parts.clock.now(), rate: this.#parts.clock.record.rate };
  }
}
