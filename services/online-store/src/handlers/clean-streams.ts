import { setTimeout as pause } from "node:timers/promises";
import { type Lane, lanes } from "@tributary/shared/contracts/catalog";
import type { Logger } from "@tributary/shared/runtime/logger";
import type { RedisLease } from "../adapters/redis-lease.ts";
import { type StreamFullness, wantedCut } from "../core/janitor-cut.ts";
import type { JanitorCounters } from "../metrics.ts";

/**
 * Takes from a lane's stream what is applied, so that it does not fill up: batch and direct rows have no age, and a full stream
 * refuses what is new. Only what every declared durable has acknowledged and Redis says is applied, only what was published long
 * enough ago, and never a message that was set aside and waits to be replayed (R3).
 */
export interface RowStream {
  fullness(): Promise<StreamFullness>;
  /** Everything up to this sequence is acknowledged by every declared durable. */
  ackFloor(): Promise<number>;
  /** The first message at or behind the sequence; undefined when there is none. */
  messageAt(sequence: number): Promise<{ readonly sequence: number; readonly timestampMs: number } | undefined>;
  /** False: it was gone already. */
  remove(sequence: number): Promise<boolean>;
}

export interface JanitorOptions {
  readonly streams: Readonly<Record<Lane, RowStream>>;
  /** Up to where the lane is applied in every partition, as Redis says. */
  readonly appliedFloor: (lane: Lane) => number;
  /** Sequences of the lane that were set aside and wait to be replayed. */
  readonly heldSequences: (lane: Lane) => Promise<ReadonlySet<number>>;
  readonly lease: RedisLease;
  readonly counters: JanitorCounters;
  readonly logger: Logger;
  readonly everyMs: number;
  /** What was published less than this ago stays, ms. */
  readonly keepMs: number;
}

export interface Janitor {
  stop(): Promise<void>;
}

/** Removals under way at once, and between two looks at the lease. */
const removalsAtOnce = 64;

export function startJanitor(options: JanitorOptions): Janitor {
  const stopping = new AbortController();
  const { signal } = stopping;
  const running = (async () => {
    while (!signal.aborted) {
      await pause(options.everyMs, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) await tryClean(options, signal);
    }
  })();
  return {
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

async function tryClean(options: JanitorOptions, signal: AbortSignal): Promise<void> {
  try {
    if (!(await options.lease.take())) return;
    try {
      for (const lane of lanes) await cleanStream(options, lane, signal);
    } finally {
      await options.lease.release();
    }
  } catch (error) {
    options.logger.warn({ error: String(error) }, "the row streams are not cleaned");
  }
}

/** @throws TributaryError UNAVAILABLE, MISSING_RESOURCE */
export async function cleanStream(options: JanitorOptions, lane: Lane, signal?: AbortSignal): Promise<void> {
  const stream = options.streams[lane];
  const fullness = await stream.fullness();
  const held = await options.heldSequences(lane);
  const from = await firstFree(stream, fullness.firstSequence, held);
  const wanted = wantedCut({ ...fullness, firstSequence: from });
  if (wanted === undefined) return;
  const applied = Math.min(await stream.ackFloor(), options.appliedFloor(lane));
  const to = Math.min(wanted, applied + 1);
  const cut = await firstYounger(stream, { from, to }, Date.now() - options.keepMs);
  const removed = await removeRange(options, { lane, from, cut, held, signal });
  if (removed > 0) options.logger.info({ lane, removed, cut }, "applied messages were taken from the stream");
  else
    options.logger.warn(
      { lane, ...fullness, applied },
      "a row stream is above half of its limit and nothing may be taken",
    );
}

/** The first message that is not set aside: what lies between those that are has been taken already. */
async function firstFree(stream: RowStream, first: number, held: ReadonlySet<number>): Promise<number> {
  let sequence = first;
  while (held.has(sequence)) sequence = (await stream.messageAt(sequence + 1))?.sequence ?? sequence + 1;
  return sequence;
}

/** The least sequence of the range whose message is younger than the instant; its end when none is. */
async function firstYounger(
  stream: RowStream,
  { from, to }: { readonly from: number; readonly to: number },
  instantMs: number,
): Promise<number> {
  let [low, high] = [from, Math.max(from, to)];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const message = await stream.messageAt(middle);
    if (message === undefined || message.timestampMs > instantMs) high = middle;
    else low = Math.max(middle, message.sequence) + 1;
  }
  return Math.min(low, Math.max(from, to));
}

interface Removal {
  readonly lane: Lane;
  readonly from: number;
  /** The first that stays. */
  readonly cut: number;
  readonly held: ReadonlySet<number>;
  readonly signal: AbortSignal | undefined;
}

/** Oldest first: what is left begins at a later sequence, without holes but for what is held. */
async function removeRange(options: JanitorOptions, { lane, from, cut, held, signal }: Removal): Promise<number> {
  const { counters, lease, streams } = options;
  let removed = 0;
  for (let start = from; start < cut; start += removalsAtOnce) {
    if (signal?.aborted || !(await lease.renew())) break;
    const count = Math.min(removalsAtOnce, cut - start);
    const sequences = Array.from({ length: count }, (_, i) => start + i).filter((sequence) => !held.has(sequence));
    const done = await Promise.all(sequences.map((sequence) => streams[lane].remove(sequence)));
    removed += done.filter(Boolean).length;
  }
  counters.removed += removed;
  return removed;
}
