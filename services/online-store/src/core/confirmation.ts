import type { Lane } from "@tributary/shared/contracts/catalog";
import { groupBy } from "./group-by.ts";

/**
 * When a confirmation counts (C4). "Unchanged is not unknown": it says that a view and partition were still right at an
 * instant, but only together with everything that lies before it in the lane's stream. So it waits (pending) until the
 * applied floor has passed it, and for ever while a hold lies below it: a message that was set aside, or a gap.
 * Floors only follow the data and holds are written before the floor can pass them, so one that counts stays counted.
 */
export interface StreamPosition {
  /** Creation time of the lane's stream, epoch ms. */
  readonly incarnation: number;
  readonly sequence: number;
}

export interface PendingConfirmation extends StreamPosition {
  readonly lane: Lane;
  readonly view: string;
  readonly viewVersion: number;
  /** Epoch ms. */
  readonly confirmedAtMs: number;
}

export interface Hold extends StreamPosition {
  readonly lane: Lane;
  /** `*`: every view of the lane. */
  readonly view: string;
}

export type Floors = ReadonlyMap<Lane, StreamPosition>;

/** What one partition knows. */
export interface PartitionProgress {
  readonly floors: Floors;
  readonly holds: readonly Hold[];
  readonly pending: readonly PendingConfirmation[];
  /** `confirmationId` → confirmed up to, epoch ms. */
  readonly confirmed: ReadonlyMap<string, number>;
}

/** Confirmations waiting for one view and partition; above it every second one is dropped, which only makes ages larger. */
export const pendingMax = 64;

export function confirmationId(view: string, viewVersion: number): string {
  return `${view}:${viewVersion}`;
}

/** Confirmations that count now, and pending ones that need not be kept any longer. */
export function settle(progress: PartitionProgress): {
  readonly confirmed: ReadonlyMap<string, number>;
  readonly done: readonly PendingConfirmation[];
} {
  const confirmed = new Map(progress.confirmed);
  for (const entry of progress.pending) {
    const id = confirmationId(entry.view, entry.viewVersion);
    if (counts(entry, progress))
      confirmed.set(id, Math.max(entry.confirmedAtMs, confirmed.get(id) ?? entry.confirmedAtMs));
  }
  const waiting = progress.pending.filter((entry) => isNews(entry, confirmed, progress.floors));
  const kept = new Set(thinOut(waiting));
  return { confirmed, done: progress.pending.filter((entry) => !kept.has(entry)) };
}

export function counts(entry: PendingConfirmation, { floors, holds }: PartitionProgress): boolean {
  const floor = floors.get(entry.lane);
  if (floor === undefined || floor.incarnation !== entry.incarnation || floor.sequence < entry.sequence) return false;
  return !holds.some((hold) => holdsBack(hold, entry));
}

function holdsBack(hold: Hold, entry: PendingConfirmation): boolean {
  const concerns = hold.lane === entry.lane && (hold.view === entry.view || hold.view === "*");
  return concerns && comparePositions(hold, entry) < 0;
}

function comparePositions(a: StreamPosition, b: StreamPosition): number {
  return a.incarnation - b.incarnation || a.sequence - b.sequence;
}

/** Says more than what counts already, and can still come to count: its stream has not been replaced. */
function isNews(entry: PendingConfirmation, confirmed: ReadonlyMap<string, number>, floors: Floors): boolean {
  const known = confirmed.get(confirmationId(entry.view, entry.viewVersion));
  const floor = floors.get(entry.lane);
  const isReplaced = floor !== undefined && floor.incarnation > entry.incarnation;
  return !isReplaced && (known === undefined || entry.confirmedAtMs > known);
}

function thinOut(entries: readonly PendingConfirmation[]): PendingConfirmation[] {
  const byView = groupBy(entries, (entry) => confirmationId(entry.view, entry.viewVersion));
  return [...byView.values()].flatMap((group) => {
    if (group.length <= pendingMax) return group;
    const sorted = group.toSorted(comparePositions);
    return sorted.filter((_, i) => i % 2 === 0 || i === sorted.length - 1);
  });
}
