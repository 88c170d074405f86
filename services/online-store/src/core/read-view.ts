import { type FeatureValue, tombstone } from "@tributary/shared/contracts/chunk";
import type { Status } from "@tributary/shared/contracts/read";
import type { PlannedCell } from "./read-plan.ts";
import type { CurrentCell } from "./record-read.ts";

/** A cell as a reader sees it at one instant of the clock. */
export interface ViewedCell {
  readonly value: FeatureValue;
  readonly status: Status;
  /** Epoch ms; null where nothing is stored. */
  readonly eventTime: number | null;
  readonly ageMs: number | null;
  readonly fresh: boolean;
}

export interface Instant {
  readonly nowMs: number;
  /** The view and partition of the cell are confirmed up to here, epoch ms. */
  readonly confirmedAtMs: number | undefined;
}

/**
 * Age counts from the later of the event time and the confirmation ("unchanged is not unknown"). Past its ttl a value is
 * hidden; past the end of its schedule it is shown but not fresh (L2). A value from ahead of the clock has age 0.
 */
export function viewCell(planned: PlannedCell, cell: CurrentCell | undefined, instant: Instant): ViewedCell {
  if (cell === undefined || cell.value === tombstone) return notFound(planned);
  const { nowMs, confirmedAtMs } = instant;
  const ageMs = Math.max(0, nowMs - Math.max(cell.eventTime, confirmedAtMs ?? cell.eventTime));
  const isExpired = planned.ttlMs !== null && ageMs > planned.ttlMs;
  const isKnown = cell.untilMs === null || nowMs <= cell.untilMs;
  return {
    value: isExpired ? planned.fallback : (cell.value ?? planned.fallback),
    status: isExpired ? "OUTSIDE_MAX_AGE" : cell.value === null ? "NULL_VALUE" : "PRESENT",
    eventTime: cell.eventTime,
    ageMs,
    fresh: !isExpired && isKnown && ageMs <= planned.freshnessMs,
  };
}

function notFound(planned: PlannedCell): ViewedCell {
  return { value: planned.fallback, status: "NOT_FOUND", eventTime: null, ageMs: null, fresh: false };
}
