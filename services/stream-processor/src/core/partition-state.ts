import { emptyKeyState, type KeyState } from "@tributary/shared/aggregation/key-state";
import { type WindowLayout, windowLayout } from "@tributary/shared/aggregation/window-layout";
import type { Catalog, StreamView } from "@tributary/shared/contracts/catalog";
import type { OriginPosition } from "@tributary/shared/contracts/events";
import type { Version } from "@tributary/shared/contracts/version";
import type { Due } from "./due-queue.ts";
import { ErasedKeys } from "./erased-keys.ts";
import { streamViews } from "./routing-plan.ts";
import type { Published, Told } from "./row-emission.ts";

/**
 * A partition's window state: a function of its position in `TRIB_KEYED` alone. Only an item whose origin is above the
 * greatest of its (source, shard, entity) counts (O1), so that every event counts once, whoever published it how often.
 */
export interface PartitionState {
  readonly partition: number;
  /** Creation time of TRIB_KEYED, epoch ms. */
  readonly incarnation: number;
  /** Greatest sequence of TRIB_KEYED applied. */
  position: number;
  catalog: Catalog;
  /** By `seriesName`. */
  readonly origins: Map<string, OriginPosition>;
  /** By `seriesName`: everything that arrived up to here has been read, epoch ms. */
  readonly marks: Map<string, number>;
  /** By source: how far event time has provably advanced, epoch ms. */
  readonly watermarks: Map<string, number>;
  readonly erased: ErasedKeys;
  readonly views: Map<string, ViewState>;
}

export interface ViewState {
  view: StreamView;
  readonly layout: WindowLayout;
  readonly keys: Map<string, KeyEntry>;
}

export interface KeyEntry extends Due, Published {
  readonly view: ViewState;
  readonly key: string;
  readonly state: KeyState;
  /** What the last acknowledged row says; undefined: unknown, so the next evaluation emits. */
  told: Told | undefined;
  sent: Version | undefined;
  /** Instant of the newest evaluation, whether or not it found a change, epoch ms. */
  checkedMs: number;
}

export function emptyPartition(
  partition: number,
  catalog: Catalog,
  start: { readonly incarnation: number; readonly position: number },
): PartitionState {
  const state: PartitionState = {
    partition,
    ...start,
    catalog,
    origins: new Map(),
    marks: new Map(),
    watermarks: new Map(),
    erased: new ErasedKeys(),
    views: new Map(),
  };
  switchCatalog(state, catalog);
  return state;
}

/** Takes up another catalog: views of the same version keep their keys, others begin empty. Returns the views that end. */
export function switchCatalog(state: PartitionState, catalog: Catalog): ViewState[] {
  const before = new Map(state.views);
  state.catalog = catalog;
  state.views.clear();
  for (const view of streamViews(catalog)) {
    const old = before.get(view.name);
    if (old !== undefined && isContinuedBy(old.view, view)) {
      old.view = view;
      state.views.set(view.name, old);
      before.delete(view.name);
    } else {
      state.views.set(view.name, { view, layout: windowLayout(view), keys: new Map() });
    }
  }
  return [...before.values()];
}

function isContinuedBy(old: StreamView, next: StreamView): boolean {
  const shape = ({ version, source, entity, keys, derive, where, windows, hopMs, aggregations }: StreamView) =>
    JSON.stringify([version, source, entity, keys, derive, where, windows, hopMs, aggregations]);
  return shape(old) === shape(next);
}

/** False once a catalog switch has ended the entry's view. */
export function isCurrent(state: PartitionState, entry: KeyEntry): boolean {
  return state.views.get(entry.view.view.name) === entry.view && entry.view.keys.get(entry.key) === entry;
}

/** The key's entry, made when it is new. */
export function entryOf(view: ViewState, key: string, state: KeyState = emptyKeyState()): KeyEntry {
  const found = view.keys.get(key);
  if (found) return found;
  const entry: KeyEntry = {
    view,
    key,
    state,
    told: undefined,
    sent: undefined,
    checkedMs: 0,
    dueMs: 0,
    queuedMs: undefined,
  };
  view.keys.set(key, entry);
  return entry;
}
