import type { Lane } from "@tributary/shared/contracts/catalog";
import { TributaryError } from "@tributary/shared/contracts/errors";
import type { ConsumeLoop } from "@tributary/shared/messaging/contract";
import type { Logger } from "@tributary/shared/runtime/logger";
import type { Lives } from "../adapters/redis-lives.ts";
import type { Progress } from "../adapters/redis-progress.ts";
import type { RedisSession } from "../adapters/redis-session.ts";
import { type PartitionProgress, settle } from "../core/confirmation.ts";
import { Confirmations } from "../core/confirmations.ts";
import { type LaneView, liftedHolds } from "../core/filled.ts";
import { type Gaps, gapsOf, leastFloors, noGaps } from "../core/lane-floors.ts";
import { epochOf, isAlive, isWhole, type PartitionLife } from "../core/partition-life.ts";
import type { Floors, StreamPosition } from "../core/stream-position.ts";
import type { Replays } from "./replay-lanes.ts";

/**
 * Follows how far the lanes are applied and what that makes count. Each round: ask the broker how far everything is
 * acknowledged (by any instance; acknowledged means that the data is in Redis), write that floor behind the data (R1), read all
 * partitions, settle their confirmations (C4), and show the result to reads. A late round only makes ages larger.
 *
 * An epoch is one life of the data in Redis. A server that was restarted or emptied begins a new one before anything is read
 * from it, and has the erasures applied to it first (R2); floors then stand where Redis itself says, and follow the replay until
 * it is done.
 */
export interface StoreState {
  /** @throws TributaryError UNAVAILABLE while it is not known what the server behind a new connection holds */
  readonly epoch: string;
  /** By partition: epoch ms up to which the view is confirmed; −Infinity where it is not. */
  confirmedAt(view: string, viewVersion: number): Float64Array;
  floor(partition: number, lane: Lane): StreamPosition | undefined;
  /** Run id of the server that the partition was last looked at on: what the epoch says is said of it. */
  run(partition: number): string | undefined;
}

export interface ProgressTracker {
  readonly state: StoreState;
  /** As of the last round, whatever has happened since. */
  readonly epoch: string;
  /** Floors of the last round: the least of all partitions. */
  readonly floors: Floors;
  /** Partitions of which something is missing that only a republish brings back. */
  readonly gaps: Gaps;
  stop(): Promise<void>;
}

export interface TrackOptions {
  readonly progress: Progress;
  readonly lives: Lives;
  readonly replays: Replays;
  /** Applies the erasures to an epoch, once: nothing is read of it before (R2). @throws TributaryError UNAVAILABLE */
  readonly erasedIn: (epoch: string) => Promise<void>;
  /** Of the connection that reads go over, and of the one that looks. */
  readonly session: RedisSession;
  readonly lookSession: RedisSession;
  readonly loops: ReadonlyMap<Lane, ConsumeLoop>;
  readonly partitions: () => number;
  /** Of today's catalog. */
  readonly views: () => readonly LaneView[];
  readonly everyMs: number;
  readonly logger: Logger;
}

/** @throws TributaryError UNAVAILABLE while the first round cannot be done */
export async function trackProgress(options: TrackOptions): Promise<ProgressTracker> {
  const tracker = new Tracker(options);
  await tracker.round();
  tracker.start();
  return tracker;
}

type PartitionState = Omit<PartitionProgress, "pending">;

class Tracker implements ProgressTracker {
  epoch = "";
  floors: Floors = new Map();
  gaps: Gaps = noGaps;
  readonly state: StoreState;
  readonly #options: TrackOptions;
  /** The session of reads in which the epoch was learnt. */
  #session = -1;
  #partitions: readonly PartitionState[] = [];
  #runs: readonly string[] = [];
  #confirmations = new Confirmations([]);
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> = Promise.resolve();
  #look: Promise<void> = Promise.resolve();
  #looks = 0;
  #lookShown = 0;
  #isStopped = false;
  #isFailing = false;

  constructor(options: TrackOptions) {
    this.#options = options;
    const tracker = this;
    this.state = {
      get epoch() {
        return tracker.#knownEpoch();
      },
      confirmedAt: (view, viewVersion) => this.#confirmations.of(view, viewVersion),
      floor: (partition, lane) => this.#partitions[partition]?.floors.get(lane),
      run: (partition) => this.#runs[partition],
    };
  }

  start(): void {
    const { session, lookSession } = this.#options;
    for (const one of [session, lookSession]) one.onRenewed(() => this.#lookNow());
    this.#schedule();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await Promise.all([this.#round, this.#look]);
  }

  async round(): Promise<void> {
    await this.look(await this.#readFloors());
  }

  /**
   * What Redis holds, and what of it counts; needs no broker, so that reads go on without one.
   * @param acked what the broker says is acknowledged; empty: not asked
   */
  async look(acked: Floors): Promise<void> {
    this.#looks += 1;
    const number = this.#looks;
    const session = this.#options.session.count;
    const lives = await this.#livesOf(acked);
    const epoch = epochOf(lives);
    await this.#options.erasedIn(epoch);
    const loaded = await this.#options.progress.load(lives.map((life) => life.floors));
    const views = this.#options.views();
    const partitions = await Promise.all(
      loaded.map((one, partition) => this.#settle(one, partition, { life: lives[partition], views })),
    );
    // A look that began earlier may have seen the server of before.
    if (number > this.#lookShown) {
      this.#lookShown = number;
      this.#partitions = partitions;
      this.#runs = lives.map(({ run }) => run);
      this.#confirmations = new Confirmations(partitions.map(({ confirmed }) => confirmed));
      this.#show(epoch, session);
      this.gaps = gapsOf(partitions, views);
      this.floors = lives.every(isWhole) && acked.size > 0 ? acked : leastFloors(lives);
    }
    this.#options.replays.consider(lives);
  }

  /** @throws TributaryError UNAVAILABLE */
  #knownEpoch(): string {
    if (this.#session === this.#options.session.count) return this.epoch;
    throw new TributaryError("UNAVAILABLE", "redis was connected to anew; what it still holds is being looked up");
  }

  #show(epoch: string, session: number): void {
    if (this.epoch !== "" && epoch !== this.epoch)
      this.#options.logger.error({ epoch, before: this.epoch }, "redis may have lost data: a new epoch");
    this.epoch = epoch;
    this.#session = session;
  }

  async #settle(
    one: PartitionProgress,
    partition: number,
    { life, views }: { readonly life: PartitionLife | undefined; readonly views: readonly LaneView[] },
  ): Promise<PartitionState> {
    const { confirmed, filled, done } = settle(one);
    const lifted = new Set(liftedHolds({ ...one, filled }, views));
    const news = {
      confirmed: raised(confirmed, one.confirmed),
      filled: raised(filled, one.filled),
      lifted: [...lifted],
      done,
    };
    const isNews = news.confirmed.size + news.filled.size + lifted.size + done.length > 0;
    if (life?.life !== undefined && isNews) await this.#options.progress.settle({ partition, life: life.life }, news);
    return { confirmed, filled, floors: one.floors, holds: one.holds.filter((hold) => !lifted.has(hold)) };
  }

  #lookNow(): void {
    if (this.#isStopped) return;
    this.#look = Promise.all([this.#look, this.#tryTo(() => this.look(new Map()))]).then(() => undefined);
  }

  #schedule(): void {
    this.#timer = setTimeout(() => {
      this.#round = this.#tryTo(() => this.round()).finally(() => {
        if (!this.#isStopped) this.#schedule();
      });
    }, this.#options.everyMs);
  }

  /** An outage of Redis or the broker: said once, tried again with the next round. */
  async #tryTo(act: () => Promise<void>): Promise<void> {
    try {
      await act();
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing)
        this.#options.logger.warn({ error: String(error) }, "progress cannot be followed; ages grow");
      this.#isFailing = true;
    }
  }

  async #readFloors(): Promise<Floors> {
    const entries = [...this.#options.loops].map(async ([lane, loop]) => {
      return [lane, { incarnation: loop.incarnation, sequence: await loop.ackFloor() }] as const;
    });
    return new Map(await Promise.all(entries));
  }

  /** How the partitions stand, each in a life that has begun. @throws TributaryError UNAVAILABLE */
  async #livesOf(acked: Floors): Promise<readonly PartitionLife[]> {
    const { lives, partitions } = this.#options;
    const found = await lives.advance(partitions(), acked);
    if (found.every(isAlive)) return found;
    await lives.begin(partitions());
    const begun = await lives.advance(partitions(), new Map());
    if (begun.every(isAlive)) return begun;
    throw new TributaryError("UNAVAILABLE", "redis was restarted or emptied again while it was looked at");
  }
}

/** What has another value than before. */
function raised<T>(now: ReadonlyMap<string, T>, before: ReadonlyMap<string, T>): ReadonlyMap<string, T> {
  return new Map([...now].filter(([id, value]) => before.get(id) !== value));
}
