import { type FeatureValue, type Tombstone, tombstone } from "../contracts/chunk.ts";
import type { Status } from "../contracts/read.ts";

/** A stored cell as it is at the reader's instant. */
export interface CurrentCell {
  readonly value: FeatureValue | Tombstone;
  /** Epoch ms. */
  readonly eventTime: number;
  /** Epoch ms beyond which nothing is known; null without a schedule. */
  readonly untilMs: number | null;
}

/** How a view's cell is read. */
export interface ReadRules {
  readonly freshnessMs: number;
  readonly ttlMs: number | null;
  /** What stands for a value that is null or missing. */
  readonly fallback: FeatureValue;
}

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
export function viewCell(rules: ReadRules, cell: CurrentCell | undefined, instant: Instant): ViewedCell {
  if (cell === undefined || cell.value === tombstone) return notFound(rules);
  const { nowMs, confirmedAtMs } = instant;
  const ageMs = Math.max(0, nowMs - Math.max(cell.eventTime, confirmedAtMs ?? cell.eventTime));
  const isExpired = rules.ttlMs !== null && ageMs > rules.ttlMs;
  const isKnown = cell.untilMs === null || nowMs <= cell.untilMs;
  return {
    value: isExpired ? rules.fallback : (cell.value ?? rules.fallback),
    status: isExpired ? "OUTSIDE_MAX_AGE" : cell.value === null ? "NULL_VALUE" : "PRESENT",
    eventTime: cell.eventTime,
    ageMs,
    fresh: !isExpired && isKnown && ageMs <= rules.freshnessMs,
  };
}

function notFound(rules: ReadRules): ViewedCell {
  return { value: rules.fallback, status: "NOT_FOUND", eventTime: null, ageMs: null, fresh: false };
}
