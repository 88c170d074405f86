import type { Lane } from "@tributary/shared/contracts/catalog";
import { asTributaryError } from "@tributary/shared/contracts/errors";
import type { ReplayStatus } from "@tributary/shared/contracts/status";
import type { StreamState } from "@tributary/shared/messaging/contract";
import type { Logger } from "@tributary/shared/runtime/logger";
import type { RedisLease } from "../adapters/redis-lease.ts";
import type { LifeAt, Lives } from "../adapters/redis-lives.ts";
import type { Progress } from "../adapters/redis-progress.ts";
import type { Hold } from "../core/confirmation.ts";
import { isAlive, isWhole, type PartitionLife, replayRange } from "../core/partition-life.ts";
import { type BehindPartition, type LaneReplay, ReplayOver, replayLane } from "./replay-lane.ts";

/**
 * Brings Redis up to what the lanes had applied before it lost data. One instance does it, under a lease; the floors it leaves
 * in Redis are where another goes on. What a stream no longer holds becomes a hold on all that lies behind it, which only a
 * republish lifts.
 */
export interface Replays {
  /** Begins with what is behind, unless that is going on, here or elsewhere. */
  consider(partitions: readonly PartitionLife[]): void;
  /** Of the lanes that this instance is reading again. */
  readonly status: ReadonlyMap<Lane, ReplayStatus>;
  stop(): Promise<void>;
}

/** Leaves all of it to other instances. */
export const noReplays: Replays = { consider: () => {}, status: new Map(), stop: async () => {} };

export interface ReplayOptions {
  readonly lanes: readonly Omit<LaneReplay, "signal" | "renew" | "lives">[];
  readonly streamState: (lane: Lane) => Promise<StreamState>;
  readonly lives: Lives;
  readonly progress: Progress;
  readonly lease: RedisLease;
  readonly logger: Logger;
  /**
   * For how long after a loss an instance may still write to the server of before, ms: what it acknowledges then is read again
   * too. 0 where nobody can reach a server that has been replaced.
   */
  readonly settleMs: number;
}

export function createReplays(options: ReplayOptions): Replays {
  return new LaneReplays(options);
}

/** After one that ended early. */
const restMs = 500;

type Behind = PartitionLife & LifeAt;

class LaneReplays implements Replays {
  readonly status = new Map<Lane, ReplayStatus>();
  readonly #options: ReplayOptions;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #restsUntil = 0;
  /** When each life that is behind was first seen. */
  #since: ReadonlyMap<string, number> = new Map();
  #lastTrouble = "";

  constructor(options: ReplayOptions) {
    this.#options = options;
  }

  consider(partitions: readonly PartitionLife[]): void {
    const behind = partitions.flatMap((one, partition) => {
      const { life } = one;
      return life !== undefined && isAlive(one) && !isWhole(one) ? [{ ...one, partition, life }] : [];
    });
    const now = performance.now();
    this.#since = new Map(behind.map(({ life }) => [life, this.#since.get(life) ?? now]));
    if (behind.length === 0 || !this.#isFree()) return;
    this.#running = this.#tryReplay(behind).finally(() => {
      this.#running = undefined;
    });
  }

  #isFree(): boolean {
    const isRested = performance.now() >= this.#restsUntil;
    return isRested && this.#running === undefined && !this.#stopping.signal.aborted;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  /** What ends it early is begun again with a later look at Redis; the same trouble again is not told again. */
  async #tryReplay(behind: readonly Behind[]): Promise<void> {
    const { lease, logger } = this.#options;
    try {
      if (!(await lease.take())) return this.status.clear();
      try {
        if (await this.#replay(behind)) this.status.clear();
      } finally {
        await lease.release();
      }
      this.#lastTrouble = "";
    } catch (error) {
      const why = error instanceof ReplayOver ? error.message : asTributaryError(error).message;
      if (why !== this.#lastTrouble) logger.warn({ why }, "a replay ends early and is tried again");
      this.#lastTrouble = why;
      this.#restsUntil = performance.now() + restMs;
      this.status.clear();
    }
  }

  /** False while it has to be read on from where it is: the next look does so. */
  async #replay(behind: readonly Behind[]): Promise<boolean> {
    const { lanes, lives, logger, settleMs } = this.#options;
    const started = performance.now();
    const isSettled = behind.every(({ life }) => started - (this.#since.get(life) ?? started) >= settleMs);
    // All of them to their end, also when one fails: the lease is given back behind the last.
    const settled = await Promise.allSettled(lanes.map((lane) => this.#replayLane(lane, behind)));
    const counts = settled.map((one) => {
      if (one.status === "rejected") throw one.reason;
      return one.value;
    });
    if (!isSettled) return false;
    const done = await Promise.all(behind.map((partition) => lives.complete(partition)));
    if (done.includes(false)) throw new ReplayOver("redis was restarted or emptied again");
    const messages = counts.reduce((sum, count) => sum + count, 0);
    if (messages > 0) logger.info({ messages, ms: Math.round(performance.now() - started) }, "redis is whole again");
    return true;
  }

  /** Returns how many messages were applied again. */
  async #replayLane(lane: ReplayOptions["lanes"][number], behind: readonly Behind[]): Promise<number> {
    const { lives, lease, logger, streamState } = this.#options;
    // First what was delivered: the stream moves on meanwhile and only begins higher.
    const delivered = await lane.delivered();
    const stream = { ...(await streamState(lane.lane)), delivered };
    const partitions = await this.#rangesOf(lane.lane, behind, stream);
    const replay = { ...lane, lives, renew: () => lease.renew(), signal: this.#stopping.signal };
    const range = { partitions, firstSequence: stream.firstSequence, until: delivered };
    await replayLane(replay, range, (status) => {
      if (!this.status.has(lane.lane)) logger.warn({ lane: lane.lane, ...status }, "reading again what redis lost");
      this.status.set(lane.lane, status);
    });
    return this.status.get(lane.lane)?.messages ?? 0;
  }

  /** What the stream no longer holds is held before anything is read again, and before a floor can pass it. */
  async #rangesOf(
    lane: Lane,
    behind: readonly Behind[],
    stream: StreamState & { readonly delivered: number },
  ): Promise<BehindPartition[]> {
    const ranges = behind.map((one) => ({ ...one, ...replayRange(one.floors.get(lane), stream) }));
    const { firstSequence } = stream;
    const gaps = ranges.filter((range) => range.hasGap);
    await this.#options.progress.addHolds(gaps.flatMap((gap) => holdsOf(lane, gap, stream)));
    if (gaps.length > 0) {
      const partitions = gaps.map((gap) => gap.partition);
      this.#options.logger.error(
        { lane, partitions, firstSequence },
        "redis lacks what the stream no longer holds: a republish is needed",
      );
    }
    return ranges.map(({ partition, life, after }) => ({ partition, life, after }));
  }
}

/**
 * At either end of what is missing: nothing that stands behind the one counts, and no republish whose rows began before the other
 * fills it, for they are missing themselves.
 */
function holdsOf(
  lane: Lane,
  { partition, after }: BehindPartition,
  { incarnation, firstSequence }: StreamState,
): (Hold & { readonly partition: number; readonly why: string })[] {
  const ends = new Set([after, Math.max(after, firstSequence - 1)]);
  return [...ends].map((sequence) => ({ lane, incarnation, sequence, view: "*", partition, why: "gap" }));
}
