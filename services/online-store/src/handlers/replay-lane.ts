import { setTimeout as pause } from "node:timers/promises";
import type { Lane } from "@tributary/shared/contracts/catalog";
import { asTributaryError } from "@tributary/shared/contracts/errors";
import type { ReplayStatus } from "@tributary/shared/contracts/status";
import { parseRowsSubject } from "@tributary/shared/contracts/subjects";
import { type Cursor, type DeliveredMessage, type Outcome, reject } from "@tributary/shared/messaging/contract";
import type { LifeAt, Lives } from "../adapters/redis-lives.ts";
import { type ApplyContext, applyChunks } from "./apply-chunks.ts";
import type { holdDeadLetter } from "./hold-dead-letter.ts";

/**
 * Reads one lane again into the partitions that are behind, in stream order and beside the lane's own consumer, whose state it
 * leaves alone. It goes up to what was ever *delivered*, not acknowledged: what an instance had written before the restart
 * it may acknowledge long after. A message that is refused gets its hold again and no second dead letter.
 */
export interface LaneReplay {
  readonly lane: Lane;
  readonly context: ApplyContext;
  readonly hold: ReturnType<typeof holdDeadLetter>;
  /** How far the lane was ever delivered; asked again behind each hold, because what lifted it lies further on. */
  readonly delivered: () => Promise<number>;
  readonly open: (from: number) => Promise<Cursor>;
  readonly lives: Lives;
  readonly batchMax: number;
  /** False when another instance has taken the work over. */
  readonly renew: () => Promise<boolean>;
  readonly signal: AbortSignal;
}

export interface BehindPartition extends LifeAt {
  /** Everything up to here is there. */
  readonly after: number;
}

/** What ends a replay without its fault: the next look at Redis decides what is to be done. */
export class ReplayOver extends Error {}

const waitMs = 250;
const writeEveryMs = 250;
const outageRetryMs = 500;

/**
 * @param until the greatest sequence delivered when the partitions were found behind
 * @throws ReplayOver; TributaryError UNAVAILABLE, HISTORY_LOST
 */
export async function replayLane(
  replay: LaneReplay,
  range: { readonly partitions: readonly BehindPartition[]; readonly firstSequence: number; readonly until: number },
  onProgress: (status: ReplayStatus) => void,
): Promise<void> {
  const after = Math.min(...range.partitions.map((partition) => partition.after));
  const from = Math.max(after + 1, range.firstSequence);
  let { until } = range;
  if (from > until) return;
  const behind = new Map(range.partitions.map((partition) => [partition.partition, partition.after]));
  const cursor = await replay.open(from);
  const { incarnation } = cursor;
  const started = performance.now();
  let [messages, writtenAt, position] = [0, started, from - 1];
  try {
    while (position < until) {
      if (replay.signal.aborted) throw new ReplayOver("stopping");
      const batch = await cursor.next(replay.batchMax, waitMs);
      const wanted = batch.filter((message) => isWanted(message, behind));
      if ((await applyAgain(replay, wanted)) > 0) until = Math.max(until, await replay.delivered());
      // Nothing stored at the end of the range: purged, or a gap.
      position = batch.length === 0 && (await cursor.drained()) ? until : Math.max(position, cursor.position);
      messages += wanted.length;
      const now = performance.now();
      if (now - writtenAt < writeEveryMs && position < until) continue;
      writtenAt = now;
      await writeFloors(replay, range.partitions, { incarnation, sequence: Math.min(position, until) });
      onProgress({ position, until, messages, messagesPerSecond: Math.round((messages * 1_000) / (now - started)) });
    }
  } finally {
    await cursor.close();
  }
}

function isWanted({ subject, sequence }: DeliveredMessage, behind: ReadonlyMap<number, number>): boolean {
  const after = behind.get(parseRowsSubject(subject)?.partition ?? -1);
  return after !== undefined && sequence > after;
}

/** Returns how many were held. */
async function applyAgain(replay: LaneReplay, messages: readonly DeliveredMessage[]): Promise<number> {
  let held = 0;
  let left = messages;
  while (left.length > 0) {
    if (replay.signal.aborted) throw new ReplayOver("stopping");
    const outcomes = await outcomesOf(replay.context, left);
    for (const [i, message] of left.entries()) {
      const outcome = outcomes[i];
      if (outcome?.kind !== "reject") continue;
      await replay.hold(message, outcome.code);
      held += 1;
    }
    left = left.filter((_, i) => outcomes[i]?.kind === "retry");
    if (left.length > 0) await pause(outageRetryMs);
  }
  return held;
}

/** What throws is a defect that one message shows; as with the lane's own consumer it must take no neighbour with it. */
async function outcomesOf(context: ApplyContext, messages: readonly DeliveredMessage[]): Promise<readonly Outcome[]> {
  try {
    return await applyChunks(context, messages);
  } catch (thrown) {
    const [first] = messages;
    if (messages.length === 1 && first !== undefined) return [reject("POISON", asTributaryError(thrown).message)];
    const outcomes: Outcome[] = [];
    for (const message of messages) outcomes.push(...(await outcomesOf(context, [message])));
    return outcomes;
  }
}

/** @throws ReplayOver */
async function writeFloors(
  { lives, lane, renew }: LaneReplay,
  partitions: readonly BehindPartition[],
  floor: { readonly incarnation: number; readonly sequence: number },
): Promise<void> {
  const news = partitions.filter((partition) => partition.after < floor.sequence);
  const written = await Promise.all(news.map((partition) => lives.replayed(partition, lane, floor)));
  if (written.includes(false)) throw new ReplayOver("redis was restarted or emptied again");
  if (!(await renew())) throw new ReplayOver("another instance has taken over");
}
