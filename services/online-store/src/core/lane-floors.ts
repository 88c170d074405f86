import { type Lane, lanes } from "@tributary/shared/contracts/catalog";
import type { PartitionProgress } from "./confirmation.ts";
import { type LaneView, missingViews } from "./filled.ts";
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
  readonly views: ReadonlyMap<Lane, ReadonlyMap<string, readonly number[]>>;
}

export const noGaps: Gaps = { partitions: new Map(), views: new Map() };

export function gapsOf(
  partitions: readonly Pick<PartitionProgress, "holds" | "filled">[],
  views: readonly LaneView[],
): Gaps {
  const ofLane = new Map<Lane, number[]>();
  const ofView = new Map<Lane, Map<string, number[]>>();
  for (const [partition, progress] of partitions.entries()) {
    const missing = missingViews(progress, views);
    for (const lane of new Set(missing.map((view) => view.lane))) addTo(ofLane, lane, partition);
    for (const { lane, view } of missing) {
      const byView = ofView.get(lane) ?? new Map<string, number[]>();
      ofView.set(lane, byView);
      addTo(byView, view, partition);
    }
  }
  return { partitions: ofLane, views: ofView };
}

function addTo<K>(lists: Map<K, number[]>, key: K, partition: number): void {
  lists.set(key, [...(lists.get(key) ?? []), partition]);
}
