import { lagsAt } from "./evaluation.ts";

/**
 * Rows that owners before this one told, evaluated at instants that nobody wrote down. A row of a later instant and the same
 * position beats ours: right while the clock runs, because it soon is that late, and wrong where it was paused before that
 * instant. Then every key is told again as soon as the position has moved, which no row of theirs knows.
 */
export interface TakeoverClock {
  readonly nowMs: number;
  readonly rate: number;
  /** It runs, and has run so for longer than the owner before may have been without word of it. */
  readonly isSteady: boolean;
}

export class InheritedRows {
  /** The clock, once past it, has passed everything that they evaluated. */
  #untilMs = Number.NEGATIVE_INFINITY;
  /** The position that has to be passed before all keys are told again. */
  #position: number | undefined;

  /** Their series has been read to its end, which is `position`. */
  takenOver({ nowMs, rate, isSteady }: TakeoverClock, position: number): void {
    this.#untilMs = isSteady ? nowMs + lagsAt(rate).settleLagMs : Number.POSITIVE_INFINITY;
    this.#position = isSteady ? undefined : position;
  }

  clockChanged(nowMs: number, position: number): void {
    if (nowMs < this.#untilMs) this.#position = position;
  }

  /** True while readers may see a row of theirs that is ahead of the clock. */
  get isPending(): boolean {
    return this.#position !== undefined;
  }

  /** Once: the position up to which their rows may reach, when it is time to tell every key again. */
  takeDue(nowMs: number, position: number): number | undefined {
    const reached = this.#position;
    if (reached === undefined ? nowMs < this.#untilMs : position <= reached) return undefined;
    this.#untilMs = Number.NEGATIVE_INFINITY;
    this.#position = undefined;
    return reached;
  }
}
