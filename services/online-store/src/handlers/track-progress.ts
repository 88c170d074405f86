import { randomUUID } from "node:crypto";
import { type Lane, lanes } from "@tributary/shared/contracts/catalog";
import type { ConsumeLoop } from "@tributary/shared/messaging/contract";
import type { Logger } from "@tributary/shared/runtime/logger";
import type { Progress } from "../adapters/redis-progress.ts";
import { confirmationId, type StreamPosition, settle } from "../core/confirmation.ts";

/**
 * Follows how far the lanes are applied and what that makes count. Each round: ask the broker how far everything is
 * acknowledged (by any instance; acknowledged means that the data is in Redis), write that floor behind the data (R1), read all
 * partitions, settle their confirmations (C4), and show the result to reads. A late round only makes ages larger.
 *
 * An epoch is one life of the data in Redis. When none is there although the lanes have been applied before, what they
 * had written is gone: a hold at the beginning of each such lane keeps its confirmations from counting until a republish.
 */
export interface StoreState {
  readonly epoch: string;
  /** Epoch ms up to which the view is confirmed in the partition, if at all. */
  confirmedAt(partition: number, view: string, viewVersion: number): number | undefined;
  floor(partition: number, lane: Lane): StreamPosition | undefined;
}

export interface ProgressTracker {
  readonly state: StoreState;
  /** Floors of the last round. */
  readonly floors: ReadonlyMap<Lane, StreamPosition>;
  stop(): Promise<void>;
}

export interface TrackOptions {
  readonly progress: Progress;
  readonly loops: ReadonlyMap<Lane, ConsumeLoop>;
  readonly partitions: () => number;
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

interface PartitionState {
  readonly confirmed: ReadonlyMap<string, number>;
  readonly floors: ReadonlyMap<Lane, StreamPosition>;
}

class Tracker implements ProgressTracker, StoreState {
  epoch = "";
  floors: ReadonlyMap<Lane, StreamPosition> = new Map();
  readonly #options: TrackOptions;
  #partitions: readonly PartitionState[] = [];
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> = Promise.resolve();
  #isStopped = false;
  #isFailing = false;

  constructor(options: TrackOptions) {
    this.#options = options;
  }

  get state(): StoreState {
    return this;
  }

  confirmedAt(partition: number, view: string, viewVersion: number): number | undefined {
    return this.#partitions[partition]?.confirmed.get(confirmationId(view, viewVersion));
  }

  floor(partition: number, lane: Lane): StreamPosition | undefined {
    return this.#partitions[partition]?.floors.get(lane);
  }

  start(): void {
    this.#timer = setTimeout(() => {
      this.#round = this.#tryRound().finally(() => {
        if (!this.#isStopped) this.start();
      });
    }, this.#options.everyMs);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#round;
  }

  async round(): Promise<void> {
    const { progress, partitions } = this.#options;
    const floors = await this.#readFloors();
    await this.#followEpoch(floors);
    await progress.writeFloors(partitions(), floors);
    const loaded = await progress.load(partitions());
    this.#partitions = await Promise.all(
      loaded.map(async (one, partition) => {
        const { confirmed, done } = settle(one);
        const raised = new Map([...confirmed].filter(([id, at]) => one.confirmed.get(id) !== at));
        if (raised.size > 0 || done.length > 0) await progress.settle(partition, raised, done);
        return { confirmed, floors: one.floors };
      }),
    );
    this.floors = floors;
  }

  /** An outage of Redis or the broker: said once, tried again with the next round. */
  async #tryRound(): Promise<void> {
    try {
      await this.round();
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing)
        this.#options.logger.warn({ error: String(error) }, "progress cannot be followed; ages grow");
      this.#isFailing = true;
    }
  }

  async #readFloors(): Promise<ReadonlyMap<Lane, StreamPosition>> {
    const entries = [...this.#options.loops].map(async ([lane, loop]) => {
      return [lane, { incarnation: loop.incarnation, sequence: await loop.ackFloor() }] as const;
    });
    return new Map(await Promise.all(entries));
  }

  async #followEpoch(floors: ReadonlyMap<Lane, StreamPosition>): Promise<void> {
    const { progress, logger } = this.#options;
    const stored = await progress.epoch();
    const epoch = stored ?? (await this.#beginEpoch(floors));
    if (epoch === this.epoch) return;
    if (this.epoch !== "") logger.error({ epoch, before: this.epoch }, "redis lost its data: a new epoch");
    this.epoch = epoch;
  }

  async #beginEpoch(floors: ReadonlyMap<Lane, StreamPosition>): Promise<string> {
    const { progress, partitions, logger } = this.#options;
    const lost = lanes.flatMap((lane) => {
      const floor = floors.get(lane);
      return floor !== undefined && floor.sequence > 0 ? [{ lane, incarnation: floor.incarnation }] : [];
    });
    const holds = lost.flatMap((gap) =>
      Array.from({ length: partitions() }, (_, partition) => ({
        ...gap,
        partition,
        sequence: 0,
        view: "*",
        why: "gap",
      })),
    );
    await progress.addHolds(holds);
    if (lost.length > 0) logger.error({ lanes: lost.map((gap) => gap.lane) }, "redis lacks what was applied before");
    return progress.beginEpoch(randomUUID());
  }
}
