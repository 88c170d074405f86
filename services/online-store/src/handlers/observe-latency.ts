import type { DeliveredMessage } from "@tributary/shared/messaging/contract";
import type { CatalogView } from "@tributary/shared/runtime/catalog-client";
import type { FreshnessMonitor } from "../core/freshness-monitor.ts";
import type { Taken } from "./admit-chunk.ts";

export interface LatencyContext {
  readonly catalog: CatalogView;
  /** Absent where what is applied was applied before: a replay says nothing of how long new rows take. */
  readonly freshness?: FreshnessMonitor;
}

/**
 * How long each chunk of rows took from the broker to Redis, where reads find it at once. By two clocks, the broker's and this
 * machine's: their difference is in it.
 * @param nowMs real epoch ms at which the rows were in Redis
 */
export function observeLatency(
  { catalog, freshness }: LatencyContext,
  applied: { readonly taken: readonly Taken[]; readonly batch: readonly DeliveredMessage[] },
  nowMs: number,
): void {
  for (const [i, one] of applied.taken.entries()) {
    const message = applied.batch[i];
    if (one.kind !== "rows" || message === undefined) continue;
    const view = catalog.current?.views[one.view];
    if (view === undefined) continue;
    freshness?.becameReadable(
      { view: view.name, lane: view.lane, freshnessMs: view.freshnessMs },
      Math.max(0, nowMs - message.timestampMs),
    );
  }
}
