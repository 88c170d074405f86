import { setImmediate as nextTurn } from "node:timers/promises";

/** Cuts long work into pieces, between which whatever else waits in the process, such as a read, gets its turn. */
export class Turns {
  readonly #msMax: number;
  #beganMs = performance.now();

  /** @param msMax of one piece */
  constructor(msMax: number) {
    this.#msMax = msMax;
  }

  /** To be awaited wherever the work may be cut: lets the others go first once it has lasted for `msMax`. */
  async next(): Promise<void> {
    if (performance.now() - this.#beganMs < this.#msMax) return;
    await nextTurn();
    this.#beganMs = performance.now();
  }
}
