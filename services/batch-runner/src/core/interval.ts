import type { BatchView } from "@tributary/shared/contracts/catalog";
import { TributaryError } from "@tributary/shared/contracts/errors";

/** Intervals are `[end − every, end)` in UTC, aligned to multiples of the view's cadence. */
export function latestIntervalEnd(view: Pick<BatchView, "everyMs">, nowMs: number): number {
  return Math.floor(nowMs / view.everyMs) * view.everyMs;
}

/** @throws TributaryError BAD_INTERVAL for one that is not aligned or has not ended at `nowMs` (B3) */
export function checkInterval(view: Pick<BatchView, "name" | "everyMs">, intervalEndMs: number, nowMs: number): void {
  if (!Number.isSafeInteger(intervalEndMs) || intervalEndMs % view.everyMs !== 0) {
    throw new TributaryError(
      "BAD_INTERVAL",
      `an interval of view "${view.name}" ends at a multiple of ${view.everyMs} ms, not at ${intervalEndMs}`,
    );
  }
  if (intervalEndMs > nowMs) {
    throw new TributaryError(
      "BAD_INTERVAL",
      `the interval of view "${view.name}" that ends at ${isoText(intervalEndMs)} has not ended yet; it is ${isoText(nowMs)}`,
    );
  }
}

function isoText(epochMs: number): string {
  return Math.abs(epochMs) <= 8.64e15 ? new Date(epochMs).toISOString() : String(epochMs);
}

/** B3: how a run's interval stands to the published one. */
export type RunKind = "forward" | "rerun" | "backfill";

export function runKind(publishedEndMs: number | undefined, intervalEndMs: number): RunKind {
  if (publishedEndMs === undefined || intervalEndMs > publishedEndMs) return "forward";
  return intervalEndMs === publishedEndMs ? "rerun" : "backfill";
}

/** C3: partitions computed whole. A rerun confirms only those that are not confirmed up to its interval already. */
export function partitionsToConfirm(options: {
  readonly partitions: number;
  readonly withheld: ReadonlySet<number>;
  readonly confirmed: ReadonlySet<number>;
}): number[] {
  const all = Array.from({ length: options.partitions }, (_, partition) => partition);
  return all.filter((partition) => !options.withheld.has(partition) && !options.confirmed.has(partition));
}
