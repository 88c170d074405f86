import { lanes } from "@tributary/shared/contracts/catalog";
import type { LaneFloor, ReadCacheStatus, RedisFacts, StoreStatus } from "@tributary/shared/contracts/status";
import type { ConsumeLoop, StreamState } from "@tributary/shared/messaging/contract";
import type { CatalogView } from "@tributary/shared/runtime/catalog-client";
import type { Clock } from "@tributary/shared/runtime/clock-client";
import type { Metrics } from "../metrics.ts";
import type { Replays } from "./replay-lanes.ts";
import type { ProgressTracker } from "./track-progress.ts";

export interface StatusContext {
  readonly instance: string;
  readonly catalog: CatalogView;
  readonly clock: Clock;
  readonly tracker: ProgressTracker;
  readonly replays: Replays;
  readonly metrics: Metrics;
  readonly loops: ReadonlyMap<(typeof lanes)[number], ConsumeLoop>;
  readonly redis: () => Promise<RedisFacts>;
  /** Undefined: no cache is wanted. */
  readonly cacheStatus: () => ReadCacheStatus | undefined;
  readonly streamState: (lane: (typeof lanes)[number]) => Promise<StreamState>;
}

/** @throws TributaryError UNAVAILABLE when the broker does not answer */
export async function storeStatus(context: StatusContext): Promise<StoreStatus> {
  const { metrics, tracker } = context;
  const readCache = context.cacheStatus();
  const [floors, redis] = await Promise.all([
    Promise.all(lanes.map((lane) => laneFloor(context, lane))),
    context.redis().catch(() => null),
  ]);
  return {
    instance: context.instance,
    epoch: tracker.epoch,
    catalogVersion: context.catalog.current?.version ?? 0,
    nowMs: context.clock.now(),
    lanes: floors,
    redis,
    freshness: metrics.freshness.read(),
    ...(readCache && { readCache }),
    counters: {
      reads: metrics.reads.reads,
      readErrors: metrics.reads.errors,
      mergeConflicts: lanes.reduce((sum, lane) => sum + metrics.lanes[lane].conflicts, 0),
    },
  };
}

async function laneFloor(context: StatusContext, lane: (typeof lanes)[number]): Promise<LaneFloor> {
  const { chunks, rows, confirmations, lagMs } = context.metrics.lanes[lane];
  const rejected = context.loops.get(lane)?.counters.rejected ?? 0;
  const { incarnation, lastSequence } = await context.streamState(lane);
  const replay = context.replays.status.get(lane);
  const gaps = context.tracker.gaps.partitions.get(lane);
  const gapViews = context.tracker.gaps.views.get(lane);
  const heldViews = context.tracker.gaps.held.get(lane);
  const waiting = context.metrics.outages[lane].current;
  return {
    lane,
    incarnation,
    floor: context.tracker.floors.get(lane)?.sequence ?? 0,
    lastSequence,
    counters: { chunks, rows, confirmations, rejected, lagMs },
    ...(replay && { replay }),
    ...(gaps && { gaps }),
    ...(gapViews && { gapViews: Object.fromEntries(gapViews) }),
    ...(heldViews && { heldViews: Object.fromEntries(heldViews) }),
    ...(waiting && { waiting }),
  };
}
