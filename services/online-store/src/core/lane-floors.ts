import { type Lane, lanes } from "@tributary/shared/contracts/catalog";
import type { PartitionProgress } from "./confirmation.ts";
import { heldViews, type LaneView, missingViews } from "./filled.ts";
import type { PartitionLife } from "./partition-life.ts";
import { comparePositions, type Floors, type StreamPosition } from "./stream-position.ts";

/** Up to where every partition has a lane; a lane that one of them knows nothing of has none. */
export function leastFloors(partitions: readonly PartitionLife[]): Floors {
  const least = new Map<Lane, StreamPosition>();
  for (const lane of lanes) {
    const floors = partitions.map((partition) => partition.floors.get(lane));
    const known = floors.filter((floor) => floor !== undefined);
    const [first, ...others] = known;
    if (first === undefined || known.length < floors.length) continue;
    least.set(
      lane,
      others.reduce((a, b) => (comparePositions(b, a) < 0 ? b : a), first),
    );
  }
  return least;
}

/** What Redis lacks and the streams hold no longer. */
export interface Gaps {
  /** Lane → partitions that lack something of a view of today's. */
  readonly partitions: ReadonlyMap<Lane, readonly number[]>;
  /** The same by view. */
  readonly views: LaneViewPartitions;
  /** Partitions that lack a message of the view which was set aside. */
  readonly held: LaneViewPartitions;
}

type LaneViewPartitions = ReadonlyMap<Lane, ReadonlyMap<string, readonly number[]>>;

export const noGaps: Gaps = { partitions: new Map(), views: new Map(), held: new Map() };

export function gapsOf(
  partitions: readonly Pick<PartitionProgress, "holds" | "filled">[],
  views: readonly LaneView[],
): Gaps {
  const ofLane = new Map<Lane, number[]>();
  const missing = partitions.map((progress) => missingViews(progress, views));
  for (const [partition, lacking] of missing.entries())
    for (const lane of new Set(lacking.map((view) => view.lane))) addTo(ofLane, lane, partition);
  const held = partitions.map((progress) => heldViews(progress, views));
  return { partitions: ofLane, views: byLaneAndView(missing), held: byLaneAndView(held) };
}

/** @param partitions the views in question of each partition */
function byLaneAndView(partitions: readonly (readonly LaneView[])[]): LaneViewPartitions {
  const lanesFound = new Map<Lane, Map<string, number[]>>();
  for (const [partition, found] of partitions.entries()) {
    for (const { lane, view } of found) {
      const byView = lanesFound.get(lane) ?? new Map<string, number[]>();
      lanesFound.set(lane, byView);
      addTo(byView, view, partition);
    }
  }
  return lanesFound;
}

function addTo<K>(lists: Map<K, number[]>, key: K, partition: number): void {
  lists.set(key, [...(lists.get(key) ?? []), partition]);
}
