import { asTributaryError } from "@tributary/shared/contracts/errors";
import { ack, type DeliveredMessage, type Outcome, reject, retry } from "@tributary/shared/messaging/contract";
import { Turns } from "@tributary/shared/runtime/event-loop-turns";
import type { Progress } from "../adapters/redis-progress.ts";
import type { Records } from "../adapters/redis-records.ts";
import type { RecordWrite } from "../core/chunk-rows.ts";
import type { FreshnessMonitor } from "../core/freshness-monitor.ts";
import type { LaneCounters } from "../metrics.ts";
import { type AdmitContext, type Admitted, admitChunk, type PartitionHold } from "./admit-chunk.ts";
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
const turnMsMax = 2;
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
  const admitted = await admitAll(context, batch);
  try {
    const corrupt = await writeRows(context, admitted);
    await context.progress.addPending(admitted.flatMap((one) => (one.kind === "confirmation" ? [one.entry] : [])));
    await context.progress.liftHolds(admitted.flatMap((one) => liftedBy(one, corrupt)));
    count(context.counters, admitted, batch.at(-1)?.timestampMs);
    observeLatency(context, { admitted, batch }, Date.now());
    context.outage.ended();
    return admitted.map((one) => outcomeOf(one, corrupt));
  } catch (thrown) {
    const error = asTributaryError(thrown);
    if (!error.retryable) throw error;
    context.outage.began(error.message);
    const later = retry(outageRetryMs, error.message, { counted: false, pauses: true });
    return admitted.map((one) => (one.kind === "outcome" ? one.outcome : later));
  }
}

async function admitAll(context: ApplyContext, batch: readonly DeliveredMessage[]): Promise<readonly Admitted[]> {
  const turns = new Turns(turnMsMax);
  const admitted: Admitted[] = [];
  for (const message of batch) {
    admitted.push(await admitChunk(context, message, turns));
    await turns.next();
  }
  return admitted;
}

async function writeRows(context: ApplyContext, admitted: readonly Admitted[]): Promise<ReadonlySet<string>> {
  const corrupt = new Set<string>();
  const { erasedAt } = context;
  const turns = new Turns(turnMsMax);
  const slices = slicesOf(admitted);
  // One that fails ends the others too: leaving its loop closes the generator that they share.
  const work = async () => {
    for (const writes of slices) {
      const applied = await applyWrites(context.records, writes, { erasedAt, turns });
      for (const key of applied.corrupt) corrupt.add(key);
      context.counters.conflicts += applied.conflicts;
    }
  };
  await Promise.all(Array.from({ length: slicesAtOnce }, work));
  return corrupt;
}

function* slicesOf(admitted: readonly Admitted[]): Generator<readonly RecordWrite[]> {
  let slice: RecordWrite[] = [];
  for (const one of admitted) {
    if (one.kind !== "rows") continue;
    for (const write of one.writes) {
      slice.push(write);
      if (slice.length < rowsAtOnce) continue;
      yield slice;
      slice = [];
    }
  }
  if (slice.length > 0) yield slice;
}

/** Behind the rows: what is not in Redis yet must go on holding confirmations back. */
function liftedBy(one: Admitted, corrupt: ReadonlySet<string>): PartitionHold[] {
  if (one.kind === "outcome" || one.lifts === undefined) return [];
  return outcomeOf(one, corrupt).kind === "ack" ? [one.lifts] : [];
}

function outcomeOf(one: Admitted, corrupt: ReadonlySet<string>): Outcome {
  if (one.kind === "outcome") return one.outcome;
  const isLost = one.kind === "rows" && corrupt.size > 0 && one.writes.some((write) => corrupt.has(write.key));
  return isLost ? reject("CORRUPT", "a stored record that the chunk touches fails its checks") : ack;
}

function count(counters: LaneCounters, admitted: readonly Admitted[], newestMs: number | undefined): void {
  for (const one of admitted) {
    if (one.kind === "confirmation") counters.confirmations += 1;
    if (one.kind !== "rows") continue;
    counters.chunks += 1;
    counters.rows += one.writes.length;
  }
  if (newestMs !== undefined) counters.lagMs = Math.max(0, Date.now() - newestMs);
}
