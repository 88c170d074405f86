import { forgetBefore, type IdReach, newestIdMs } from "@tributary/shared/aggregation/event-ids";
import { isSpent } from "@tributary/shared/aggregation/key-state";
import type { Catalog, StreamView } from "@tributary/shared/contracts/catalog";
import type { EventSource } from "@tributary/shared/contracts/source";
import { leastMark } from "./marks.ts";
import type { KeyEntry, PartitionState, ViewState } from "./partition-state.ts";

/**
 * How far back a view's keys remember ids. Everything that arrived up to the least mark has been read, so an event that is
 * out of order as far as its source says lies behind it by the disorder at most, and its twin by `dedupeMs` more. Ids before
 * that may go. A key whose windows are empty stays until its ids may go, for its owners to agree on what it has counted.
 */
export function idReach(state: PartitionState, view: StreamView): IdReach | undefined {
  const source = sourceOf(state.catalog, view);
  if (source?.dedupeMs === undefined) return undefined;
  const mark = leastMark(state, view) ?? Number.NEGATIVE_INFINITY;
  return { dedupeMs: source.dedupeMs, horizonMs: mark - source.disorderMs - source.dedupeMs };
}

/** True when nothing that the key holds can count any more. */
export function isForgotten(state: PartitionState, { view, state: key }: KeyEntry): boolean {
  return isSpent(key) && (!hasIds(key) || newestIdMs(key.ids) < horizonMs(state, view));
}

/** When the last of the key's ids may go, at the soonest; −Infinity when it has none. */
export function idsUntilMs(state: PartitionState, { view, state: key }: KeyEntry): number {
  const source = sourceOf(state.catalog, view.view);
  return newestIdMs(key.ids) + (source?.dedupeMs ?? 0) + (source?.disorderMs ?? 0) + 1;
}

/**
 * What the catalog so far lets go is gone before another one is taken up: a longer reach would bring back what only some
 * owners still hold. Returns the keys that changed.
 */
export function forgetBySwitch(state: PartitionState, next: Catalog): KeyEntry[] {
  return [...state.views.values()]
    .filter(({ view }) => reachText(state.catalog, view) !== reachText(next, view))
    .flatMap((view) => {
      const isSameId = sourceOf(state.catalog, view.view)?.id === sourceOf(next, view.view)?.id;
      const before = isSameId ? horizonMs(state, view) : Number.POSITIVE_INFINITY;
      const holding = [...view.keys.values()].filter((entry) => entry.state.ids !== undefined);
      for (const { state: key } of holding) if (key.ids) forgetBefore(key.ids, before);
      return holding;
    });
}

function hasIds({ ids }: KeyEntry["state"]): boolean {
  return ids !== undefined && ids.order.length > 0;
}

function horizonMs(state: PartitionState, { view }: ViewState): number {
  return idReach(state, view)?.horizonMs ?? Number.POSITIVE_INFINITY;
}

function reachText(catalog: Catalog, view: StreamView): string {
  const source = sourceOf(catalog, view);
  return JSON.stringify([source?.id, source?.dedupeMs, source?.disorderMs]);
}

function sourceOf(catalog: Catalog, view: StreamView): EventSource | undefined {
  const source = catalog.sources[view.source];
  return source?.kind === "event" ? source : undefined;
}
