import type { Lane } from "@tributary/shared/contracts/catalog";
import { type Filled, fill, fillsMore, isFilledAbove, isFilling } from "./filled.ts";
import { groupBy } from "./group-by.ts";
import { comparePositions, type Floors, isPassed, type StreamPosition } from "./stream-position.ts";

/**
 * When a confirmation counts (C4). "Unchanged is not unknown": it says that a view and partition were still right at an
 * instant, but only together with everything that lies before it in the lane's stream. So it waits (pending) until the
 * applied floor has passed it, and for ever while a hold lies below it: a message that was set aside, or a gap.
 * Floors only follow the data and holds are written before the floor can pass them, so one that counts stays counted.
 *
 * Behind a republish stands a confirmation that fills: once the floor has passed it, all that the view held below the first of
 * the rows sent again is there, and no hold below that concerns the view any more (see filled.ts).
 */
export interface PendingConfirmation extends StreamPosition {
  readonly lane: Lane;
  readonly view: string;
  readonly viewVersion: number;
  /** Epoch ms; 0 in one that fills and confirms nothing. */
  readonly confirmedAtMs: number;
  /** Of one that fills: the sequence of its stream below which nothing of the view is missing once the floor has passed it. */
  readonly fillsBelow?: number;
}

export interface Hold extends StreamPosition {
  readonly lane: Lane;
  /** `*`: every view of the lane. */
  readonly view: string;
}

/** What one partition knows. */
export interface PartitionProgress {
  readonly floors: Floors;
  readonly holds: readonly Hold[];
  readonly pending: readonly PendingConfirmation[];
  readonly filled: Filled;
  /** `confirmationId` → confirmed up to, epoch ms. */
  readonly confirmed: ReadonlyMap<string, number>;
}

/** Confirmations waiting for one view and partition; above it every second one is dropped, which only makes ages larger. */
export const pendingMax = 64;

export function confirmationId(view: string, viewVersion: number): string {
  return `${view}:${viewVersion}`;
}

/** What counts and is filled now, and pending ones that need not be kept any longer. */
export function settle(progress: PartitionProgress): {
  readonly confirmed: ReadonlyMap<string, number>;
  readonly filled: Filled;
  readonly done: readonly PendingConfirmation[];
} {
  const filled = fill(progress);
  const confirmed = new Map(progress.confirmed);
  for (const entry of progress.pending) {
    const id = confirmationId(entry.view, entry.viewVersion);
    if (confirms(entry) && counts(entry, { ...progress, filled }))
      confirmed.set(id, Math.max(entry.confirmedAtMs, confirmed.get(id) ?? entry.confirmedAtMs));
  }
  const known = { floors: progress.floors, filled, confirmed };
  const kept = new Set(thinOut(progress.pending.filter((entry) => isNews(entry, known))));
  return { confirmed, filled, done: progress.pending.filter((entry) => !kept.has(entry)) };
}

export function counts(
  entry: PendingConfirmation,
  { floors, holds, filled }: Pick<PartitionProgress, "floors" | "holds" | "filled">,
): boolean {
  if (!isPassed(entry, floors)) return false;
  return !holds.some((hold) => holdsBack(hold, entry) && !isFilledAbove(filled, entry, hold));
}

function confirms({ fillsBelow, confirmedAtMs }: PendingConfirmation): boolean {
  return fillsBelow === undefined || confirmedAtMs > 0;
}

function holdsBack(hold: Hold, entry: PendingConfirmation): boolean {
  const concerns = hold.lane === entry.lane && (hold.view === entry.view || hold.view === "*");
  return concerns && comparePositions(hold, entry) < 0;
}

/** Says more than what is known already, and can still come to count: its stream has not been replaced. */
function isNews(
  entry: PendingConfirmation,
  { floors, filled, confirmed }: Pick<PartitionProgress, "floors" | "filled" | "confirmed">,
): boolean {
  const at = confirmed.get(confirmationId(entry.view, entry.viewVersion));
  const floor = floors.get(entry.lane);
  const isReplaced = floor !== undefined && floor.incarnation > entry.incarnation;
  const confirmsMore = confirms(entry) && (at === undefined || entry.confirmedAtMs > at);
  return !isReplaced && (confirmsMore || fillsMore(entry, filled));
}

/** One that fills is dropped last: nothing that comes later says the same. */
function thinOut(entries: readonly PendingConfirmation[]): PendingConfirmation[] {
  const byView = groupBy(entries, (entry) => confirmationId(entry.view, entry.viewVersion));
  return [...byView.values()].flatMap((group) => {
    if (group.length <= pendingMax) return group;
    const sorted = group.toSorted(comparePositions);
    const filling = sorted.filter(isFilling);
    const kept = new Set(filling.length <= pendingMax / 2 ? filling : filling.slice(-1));
    return sorted.filter((entry, i) => i % 2 === 0 || i === sorted.length - 1 || kept.has(entry));
  });
}
