import type { BatchView } from "@tributary/shared/contracts/catalog";
import { latestIntervalEnd } from "./interval.ts";

/** What is known of a view when its next run is considered. Real instants in ms of any monotonic clock. */
export interface ViewProgress {
  readonly publishedEndMs: number | undefined;
  /** The interval that was tried last, and when it may be tried again if that failed. */
  readonly triedEndMs: number | undefined;
  readonly retryAtMs: number;
}

/**
 * The interval end that is due for a view, if one is. Only the latest is ever due: older ones would publish nothing (B3).
 * A failed interval is tried again after its pause, a new one at once.
 */
export function dueInterval(
  view: BatchView,
  progress: ViewProgress,
  nowMs: number,
  realMs: number,
): number | undefined {
  const end = latestIntervalEnd(view, nowMs);
  if (progress.publishedEndMs !== undefined && end <= progress.publishedEndMs) return undefined;
  if (progress.triedEndMs === end && realMs < progress.retryAtMs) return undefined;
  return end;
}
