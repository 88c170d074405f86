import type { Lane, View } from "@tributary/shared/contracts/catalog";
import type { Hold, PartitionProgress, PendingConfirmation } from "./confirmation.ts";
import { comparePositions, isPassed, type StreamPosition } from "./stream-position.ts";

/**
 * What a republish has made good (C4, R5). It sends again all that a view holds in a partition, and behind it a confirmation
 * that fills. Once the applied floor has passed that one, the view has everything that was ever sent before the republish began:
 * whatever was set aside or lost below its first row concerns the view no more. What was set aside among the rows sent again does, and so does a
 * gap that reaches into them: after Redis was emptied the confirmation may be left in the stream without its rows.
 *
 *     … 480 set aside … │ since: rows sent again … set aside 530 … confirmation that fills │ …
 *           lifted      │                          stays                                  │ stays
 */
export type Filled = ReadonlyMap<string, StreamPosition>;

/** A version of a view. */
export interface LaneView {
  readonly lane: Lane;
  readonly view: string;
  readonly viewVersion: number;
}

export function laneView({ lane, name, version }: Pick<View, "lane" | "name" | "version">): LaneView {
  return { lane, view: name, viewVersion: version };
}

export function filledId({ lane, view, viewVersion }: LaneView): string {
  return `${lane}:${view}:${viewVersion}`;
}

export function isFilling(entry: PendingConfirmation): boolean {
  return entry.fillsBelow !== undefined;
}

/** With what the floor has passed. */
export function fill({ filled, pending, floors }: Pick<PartitionProgress, "filled" | "pending" | "floors">): Filled {
  const next = new Map(filled);
  for (const entry of pending) {
    if (isPassed(entry, floors) && fillsMore(entry, next)) next.set(filledId(entry), fillPosition(entry));
  }
  return next;
}

export function fillsMore(entry: PendingConfirmation, filled: Filled): boolean {
  if (entry.fillsBelow === undefined) return false;
  const known = filled.get(filledId(entry));
  return known === undefined || comparePositions(known, fillPosition(entry)) < 0;
}

function fillPosition({ incarnation, sequence, fillsBelow = 0 }: PendingConfirmation): StreamPosition {
  return { incarnation, sequence: Math.min(fillsBelow, sequence) };
}

/** Whether what is missing at the position is no longer missing of the view. */
export function isFilledAbove(filled: Filled, view: LaneView, position: StreamPosition): boolean {
  const known = filled.get(filledId(view));
  return known !== undefined && comparePositions(position, known) < 0;
}

/**
 * Holds that concern nobody any more: all views of today's that they stand for are filled above them. One of a view that the
 * catalog does not have, or of a lane without views, stays: it may come back.
 */
export function liftedHolds(
  { holds, filled }: Pick<PartitionProgress, "holds" | "filled">,
  views: readonly LaneView[],
): readonly Hold[] {
  return holds.filter((hold) => {
    const concerned = concernedBy(hold, views);
    return concerned.length > 0 && concerned.every((view) => isFilledAbove(filled, view, hold));
  });
}

/** Views of which a gap is still missing something. */
export function missingViews(
  { holds, filled }: Pick<PartitionProgress, "holds" | "filled">,
  views: readonly LaneView[],
): readonly LaneView[] {
  const gaps = holds.filter((hold) => hold.view === "*");
  const isMissing = (view: LaneView) => gaps.some((gap) => gap.lane === view.lane && !isFilledAbove(filled, view, gap));
  return views.filter(isMissing);
}

/** Views of which a message was set aside and not sent again since. */
export function heldViews(
  { holds, filled }: Pick<PartitionProgress, "holds" | "filled">,
  views: readonly LaneView[],
): readonly LaneView[] {
  const isHeld = (view: LaneView) =>
    holds.some((hold) => hold.lane === view.lane && hold.view === view.view && !isFilledAbove(filled, view, hold));
  return views.filter(isHeld);
}

function concernedBy(hold: Hold, views: readonly LaneView[]): readonly LaneView[] {
  return views.filter(({ lane, view }) => lane === hold.lane && (hold.view === "*" || hold.view === view));
}
