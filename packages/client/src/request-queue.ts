import { TributaryError } from "@tributary/shared/contracts/errors";

export interface QueueOptions {
  /** Requests that may be on their way at once. */
  readonly inFlightMax: number;
  /** Requests that may wait for their turn; above it they are refused. */
  readonly waitingMax: number;
}

interface Waiting {
  enter(): void;
}

/**
 * Bounds what a program asks at once. Above `inFlightMax` requests wait, first come first served, with their deadline running;
 * above `waitingMax` they are refused, so that a program that asks faster than it is answered learns it.
 */
export class RequestQueue {
  readonly #options: QueueOptions;
  readonly #waiting = new Set<Waiting>();
  #inFlight = 0;

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  /**
   * Runs the work when its turn has come, with the ms that are left to it.
   * @throws TributaryError OVERLOADED the queue is full; DEADLINE its turn did not come in time: nothing was sent
   */
  async run<T>(timeoutMs: number, work: (leftMs: number) => Promise<T>): Promise<T> {
    const deadline = performance.now() + timeoutMs;
    await this.#enter(timeoutMs);
    try {
      return await work(Math.max(1, Math.floor(deadline - performance.now())));
    } finally {
      this.#leave();
    }
  }

  #enter(timeoutMs: number): Promise<void> {
    const { inFlightMax, waitingMax } = this.#options;
    if (this.#inFlight < inFlightMax) {
      this.#inFlight += 1;
      return Promise.resolve();
    }
    if (this.#waiting.size >= waitingMax) {
      const why = `${inFlightMax} requests are on their way and ${waitingMax} wait (inFlightMax, waitingMax)`;
      return Promise.reject(new TributaryError("OVERLOADED", why));
    }
    return this.#wait(timeoutMs);
  }

  #wait(timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        enter: () => {
          clearTimeout(timer);
          resolve();
        },
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(waiting);
        const why = `not sent within ${timeoutMs} ms: ${this.#inFlight} requests are on their way (inFlightMax)`;
        reject(new TributaryError("DEADLINE", why));
      }, timeoutMs);
      this.#waiting.add(waiting);
    });
  }

  /** The place goes straight to the one that has waited longest: nobody can slip in before it. */
  #leave(): void {
    for (const next of this.#waiting) {
      this.#waiting.delete(next);
      next.enter();
      return;
    }
    this.#inFlight -= 1;
  }
}
