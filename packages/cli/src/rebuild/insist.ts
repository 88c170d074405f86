import { setTimeout as pause } from "node:timers/promises";
import { asTributaryError, TributaryError } from "@tributary/shared/contracts/errors";

/** How long somebody waits. */
export class Deadline {
  readonly #atMs: number;
  readonly #seconds: number;

  constructor(seconds: number) {
    this.#seconds = seconds;
    this.#atMs = performance.now() + seconds * 1_000;
  }

  get leftMs(): number {
    return Math.max(0, this.#atMs - performance.now());
  }

  /** @throws TributaryError DEADLINE: what was waited for, and why it is not there yet */
  check(what: string): void {
    if (this.leftMs > 0) return;
    throw new TributaryError("DEADLINE", `not within ${this.#seconds} seconds: ${what}; --timeout gives it more`);
  }
}

const againMs = 500;

/** Again and again while what it throws may pass. @throws what it threw last when that may not pass, or the time is over */
export async function insist<T>(deadline: Deadline, attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (thrown) {
      const error = asTributaryError(thrown);
      if (!error.retryable || deadline.leftMs === 0) throw error;
    }
    await pause(Math.min(againMs, deadline.leftMs));
  }
}
