import { type Lane, lanes } from "@tributary/shared/contracts/catalog";
import type { Floors, PartitionProgress, StreamPosition } from "./confirmation.ts";
import type { PartitionLife } from "./partition-life.ts";

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
      others.reduce((a, b) => (isBefore(b, a) ? b : a), first),
    );
  }
  return least;
}

function isBefore(a: StreamPosition, b: StreamPosition): boolean {
  return a.incarnation < b.incarnation || (a.incarnation === b.incarnation && a.sequence < b.sequence);
}

/** Lane → partitions with a hold on every view: what the stream held no longer when it was needed. */
export function gapsOf(partitions: readonly PartitionProgress[]): ReadonlyMap<Lane, readonly number[]> {
  const gaps = new Map<Lane, number[]>();
  for (const [partition, { holds }] of partitions.entries()) {
    const withGap = new Set(holds.filter((hold) => hold.view === "*").map((hold) => hold.lane));
    for (const lane of withGap) gaps.set(lane, [...(gaps.get(lane) ?? []), partition]);
  }
  return gaps;
}
