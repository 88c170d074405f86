import { setImmediate as nextTurn } from "node:timers/promises";

/** Cuts long work into pieces, between which whatever else waits in the process, such as a read, gets its turn. */
export class Turns {
  readonly #msMax: number;
  #beganMs = performance.now();
  #turn: Promise<void> | undefined;

  /** @param msMax of one piece */
  constructor(msMax: number) {
    this.#msMax = msMax;
  }

  /**
   * To be awaited wherever the work may be cut: lets the others go first once it has lasted for `msMax`. Who shares it shares the
   * time as well.
   */
  async next(): Promise<void> {
    if (performance.now() - this.#beganMs < this.#msMax) return;
    this.#turn ??= this.#afterOthers();
    await this.#turn;
  }

  async #afterOthers(): Promise<void> {
    await nextTurn();
    this.#beganMs = performance.now();
    this.#turn = undefined;
  }
}
