import type { Failpoint } from "./failpoints.ts";

/** Waits for a failpoint on the wires of all stores: the first store that comes there the n-th time is killed, at once. */
export class Trap {
  #armed:
    | { readonly failpoint: Failpoint; readonly times: number; readonly sprung: (store: string) => void }
    | undefined;
  readonly #seen = new Map<string, number>();

  /** `sprung` has to kill the store before it returns. */
  arm(failpoint: Failpoint, times: number, sprung: (store: string) => void): void {
    this.#seen.clear();
    this.#armed = { failpoint, times, sprung };
  }

  disarm(): void {
    this.#armed = undefined;
  }

  /** What passes on a store's wire. True: the store is dead, and what it said is forwarded only if the second is true. */
  passes(store: string, on: Failpoint["seen"]["on"], command: readonly string[] = []): Verdict {
    const armed = this.#armed;
    if (armed === undefined || armed.failpoint.seen.on !== on) return alive;
    const { seen } = armed.failpoint;
    if (seen.on !== "ack" && !seen.matches(command)) return alive;
    const times = (this.#seen.get(store) ?? 0) + 1;
    this.#seen.set(store, times);
    if (times < armed.times) return alive;
    this.disarm();
    armed.sprung(store);
    return { isDead: true, isForwarded: seen.on !== "ack" && seen.isForwarded === true };
  }
}

export interface Verdict {
  readonly isDead: boolean;
  readonly isForwarded: boolean;
}

const alive: Verdict = { isDead: false, isForwarded: true };
