import { asTributaryError } from "@tributary/shared/contracts/errors";
import { ack, type DeliveredMessage, type Outcome, reject, retry } from "@tributary/shared/messaging/contract";
import { Turns } from "@tributary/shared/runtime/event-loop-turns";
import type { Progress } from "../adapters/redis-progress.ts";
import type { Records } from "../adapters/redis-records.ts";
import type { RecordWrite } from "../core/chunk-rows.ts";
import type { FreshnessMonitor } from "../core/freshness-monitor.ts";
import type { LaneCounters } from "../metrics.ts";
import { type AdmitContext, admitChunk, type PartitionHold, type Taken, takenOf } from "./admit-chunk.ts";
import { applyWrites, type ErasedAt } from "./apply-writes.ts";
import { observeLatency } from "./observe-latency.ts";
import type { WriteOutage } from "./write-outage.ts";

export interface ApplyContext extends AdmitContext {
  readonly records: Records;
  readonly progress: Progress;
  readonly erasedAt: ErasedAt;
  readonly counters: LaneCounters;
  /** Absent in a replay. */
  readonly freshness?: FreshnessMonitor;
  readonly outage: WriteOutage;
  /** Settles when the epoch is known: nothing is applied before. */
  readonly opened: Promise<void>;
}

/**
 * Reads share the process and Redis with this: neither is to be busy for long with one piece of it. The next rows are merged while
 * Redis has the last ones.
 */
const rowsAtOnce = 250;
const slicesAtOnce = 2;
const turnMsMax = 1;
const outageRetryMs = 500;

/**
 * A batch of one lane's messages: rows are in Redis and confirmations are pending there before anything is acknowledged.
 * While Redis is away or full everything is retried, nothing counted, and the lane is asked for no more meanwhile.
 */
export async function applyChunks(
  context: ApplyContext,
  batch: readonly DeliveredMessage[],
): Promise<readonly Outcome[]> {
  await context.opened;
  const taken: Taken[] = [];
  try {
    const corrupt = await writeRows(context, batch, taken);
    await context.progress.addPending(taken.flatMap((one) => (one.kind === "confirmation" ? [one.entry] : [])));
    await context.progress.liftHolds(taken.flatMap((one) => liftedBy(one, corrupt)));
    count(context.counters, taken, batch.at(-1)?.timestampMs);
    observeLatency(context, { taken, batch }, Date.now());
    context.outage.ended();
    return taken.map((one) => outcomeOf(one, corrupt));
  } catch (thrown) {
    const error = asTributaryError(thrown);
    if (!error.retryable) throw error;
    context.outage.began(error.message);
    const later = retry(outageRetryMs, error.message, { counted: false, pauses: true });
    return batch.map((_, i) => (taken[i]?.kind === "outcome" ? taken[i].outcome : later));
  }
}

/**
 * Chunks are checked one after the other, while rows of those before are written: a batch's rows all at once would outlive one
 * collection of the young heap after the other, each of which copies them.
 * @param taken gets what is left of each message
 * @returns those of which a stored record is corrupt
 */
async function writeRows(
  context: ApplyContext,
  batch: readonly DeliveredMessage[],
  taken: Taken[],
): Promise<ReadonlySet<Taken>> {
  const corrupt = new Set<Taken>();
  const { erasedAt } = context;
  const turns = new Turns(turnMsMax);
  const slices = slicesOf(context, batch, { taken, turns });
  // One that fails ends the others too: leaving its loop closes the generator that they share.
  const work = async () => {
    for await (const { writes, of } of slices) {
      const applied = await applyWrites(context.records, writes, { erasedAt, turns });
      context.counters.conflicts += applied.conflicts;
      if (applied.corrupt.size === 0) continue;
      for (const [i, { key }] of writes.entries()) if (applied.corrupt.has(key)) corrupt.add(of[i] as Taken);
    }
  };
  await Promise.all(Array.from({ length: slicesAtOnce }, work));
  return corrupt;
}

/** Rows that are written together, and for each the message that it is of. */
interface Slice {
  readonly writes: RecordWrite[];
  readonly of: Taken[];
}

async function* slicesOf(
  context: ApplyContext,
  batch: readonly DeliveredMessage[],
  { taken, turns }: { readonly taken: Taken[]; readonly turns: Turns },
): AsyncGenerator<Slice> {
  let slice: Slice = { writes: [], of: [] };
  for (const message of batch) {
    const admitted = await admitChunk(context, message, turns);
    const one = takenOf(admitted);
    taken.push(one);
    await turns.next();
    if (admitted.kind !== "rows") continue;
    for (const write of admitted.writes) {
      slice.writes.push(write);
      slice.of.push(one);
      if (slice.writes.length < rowsAtOnce) continue;
      yield slice;
      slice = { writes: [], of: [] };
    }
  }
  if (slice.writes.length > 0) yield slice;
}

/** Behind the rows: what is not in Redis yet must go on holding confirmations back. */
function liftedBy(one: Taken, corrupt: ReadonlySet<Taken>): PartitionHold[] {
  if (one.kind === "outcome" || one.lifts === undefined) return [];
  return outcomeOf(one, corrupt).kind === "ack" ? [one.lifts] : [];
}

function outcomeOf(one: Taken, corrupt: ReadonlySet<Taken>): Outcome {
  if (one.kind === "outcome") return one.outcome;
  return corrupt.has(one) ? reject("CORRUPT", "a stored record that the chunk touches fails its checks") : ack;
}

function count(counters: LaneCounters, taken: readonly Taken[], newestMs: number | undefined): void {
  for (const one of taken) {
    if (one.kind === "confirmation") counters.confirmations += 1;
    if (one.kind !== "rows") continue;
    counters.chunks += 1;
    counters.rows += one.rows;
  }
  if (newestMs !== undefined) counters.lagMs = Math.max(0, Date.now() - newestMs);
}
