import { performance } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";
import { Samples } from "./samples.ts";

/**
 * Two ways to press on a system.
 *   closed  so many workers, each asks again when it has its answer: finds the throughput. Its latencies are those of a
 *           caller who slows down with the system.
 *   open    so many requests a second, whether or not the answers come: finds the latency at that rate. A request's
 *           latency counts from the instant at which it was due, so that a stall shows in every request that it delays
 *           (no coordinated omission).
 */
export interface LoadResult {
  /** ms. */
  readonly latencies: Samples;
  readonly done: number;
  readonly failed: number;
  readonly seconds: number;
}

export type Work = (request: number) => Promise<unknown>;

export interface ClosedLoad {
  readonly workers: number;
  /** Requests in all. */
  readonly requests: number;
  /** Nothing is asked any more after this time; default: no bound. */
  readonly seconds?: number;
}

export async function closedLoop({ workers, requests, seconds }: ClosedLoad, work: Work): Promise<LoadResult> {
  const tally = new Tally();
  const endAt = performance.now() + (seconds ?? Number.POSITIVE_INFINITY) * 1_000;
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < requests && performance.now() < endAt) await tally.measure(work, next++, performance.now());
  };
  await Promise.all(Array.from({ length: workers }, worker));
  return tally.result();
}

export interface OpenLoad {
  readonly perSecond: number;
  readonly requests: number;
  /** Requests without an answer at once; one that is due above it counts as failed. */
  readonly inFlightMax: number;
}

export async function openLoop({ perSecond, requests, inFlightMax }: OpenLoad, work: Work): Promise<LoadResult> {
  const tally = new Tally();
  const inFlight = new Set<Promise<void>>();
  const start = performance.now();
  for (let request = 0; request < requests; request++) {
    const dueAt = start + (request * 1_000) / perSecond;
    const early = dueAt - performance.now();
    // A timer is good to a millisecond; what is due sooner is sent now and counts from when it was due.
    if (early > 1) await pause(early);
    else if (request % 64 === 0) await new Promise(setImmediate);
    if (inFlight.size >= inFlightMax) tally.failed += 1;
    else {
      const sent = tally.measure(work, request, dueAt).finally(() => inFlight.delete(sent));
      inFlight.add(sent);
    }
  }
  await Promise.all(inFlight);
  return tally.result();
}

class Tally {
  readonly latencies = new Samples();
  failed = 0;
  readonly #start = performance.now();

  async measure(work: Work, request: number, fromMs: number): Promise<void> {
    try {
      await work(request);
      this.latencies.add(Math.max(0, performance.now() - fromMs));
    } catch {
      this.failed += 1;
    }
  }

  result(): LoadResult {
    const seconds = (performance.now() - this.#start) / 1_000;
    return { latencies: this.latencies, done: this.latencies.count, failed: this.failed, seconds };
  }
}
