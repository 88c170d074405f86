import type { Lane } from "@tributary/shared/contracts/catalog";

export interface StreamPosition {
  /** Creation time of the lane's stream, epoch ms. */
  readonly incarnation: number;
  readonly sequence: number;
}

/** Up to where each lane is applied. */
export type Floors = ReadonlyMap<Lane, StreamPosition>;

/** Negative: `a` lies before `b`. */
export function comparePositions(a: StreamPosition, b: StreamPosition): number {
  return a.incarnation - b.incarnation || a.sequence - b.sequence;
}

/** Everything up to there is applied. A floor in another stream than the position's says nothing of it. */
export function isPassed(position: StreamPosition & { readonly lane: Lane }, floors: Floors): boolean {
  const floor = floors.get(position.lane);
  return floor !== undefined && floor.incarnation === position.incarnation && floor.sequence >= position.sequence;
}
