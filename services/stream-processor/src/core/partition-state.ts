import { countId, emptyIds, type IdReach, isCounted } from "@tributary/shared/aggregation/event-ids";
import { addEvent, emptyKeyState, type KeyState } from "@tributary/shared/aggregation/key-state";
import { floorTo, type WindowLayout, windowLayout } from "@tributary/shared/aggregation/window-layout";
import type { Catalog, StreamView } from "@tributary/shared/contracts/catalog";
import { compareOrigins, type OriginPosition } from "@tributary/shared/contracts/events";
import { limits } from "@tributary/shared/contracts/limits";
import type { Version } from "@tributary/shared/contracts/version";
import type { Due } from "./due-queue.ts";
import { idReach } from "./id-reach.ts";
import type { KeyedChunk, KeyedItem } from "./keyed-item.ts";
import { advanceWatermark, seriesName, takeMark } from "./marks.ts";
import { columnName, streamViews } from "./routing-plan.ts";
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

export interface ApplyCounts {
  eventsApplied: number;
  eventsDuplicate: number;
  eventsLate: number;
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

export interface ApplyContext {
  /** Sequence of the chunk in TRIB_KEYED. */
  readonly sequence: number;
  /** The instant before which the clock can no longer be, epoch ms. */
  readonly settledMs: number;
  readonly counts: ApplyCounts;
  readonly onTouched: (entry: KeyEntry) => void;
}

/** Applies a chunk of the partition's series; the catalog it names has been taken up before. */
export function applyChunk(state: PartitionState, chunk: KeyedChunk, context: ApplyContext): void {
  const series = seriesName(chunk.source, chunk.shard, chunk.entity);
  const targets = chunk.views.map(([name, version]) => targetOf(state, chunk, { name, version }));
  let greatest = state.origins.get(series);
  for (const item of chunk.items) {
    const origin = { incarnation: chunk.incarnation, sequence: item.sequence, index: item.index };
    if (greatest !== undefined && compareOrigins(origin, greatest) <= 0) {
      context.counts.eventsDuplicate += 1;
      continue;
    }
    greatest = origin;
    applyItem(item, targets, context);
    advanceWatermark(state, chunk.source, Math.min(item.eventMs, item.arrivalMs));
  }
  if (greatest !== undefined) state.origins.set(series, greatest);
  if (chunk.markMs !== undefined) takeMark(state, series, chunk.source, chunk.markMs);
  state.position = context.sequence;
}

interface Target {
  readonly view: ViewState;
  /** For each field of the layout, its place in the chunk's values. */
  readonly places: readonly number[];
  /** Undefined: the view's source has no ids. */
  readonly reach: IdReach | undefined;
}

/** Undefined: this catalog has no such version of the view. */
function targetOf(
  state: PartitionState,
  chunk: KeyedChunk,
  { name, version }: { name: string; version: number },
): Target | undefined {
  const view = state.views.get(name);
  if (view?.view.version !== version) return undefined;
  const places = view.layout.fields.map((field) => chunk.fields.indexOf(columnName(view.view, field)));
  return { view, places, reach: idReach(state, view.view) };
}

function applyItem(item: KeyedItem, targets: readonly (Target | undefined)[], context: ApplyContext): void {
  let isLate = true;
  let repeats = 0;
  for (const [index, key] of item.projections) {
    const target = targets[index];
    if (target === undefined) continue;
    if (isRepeat(target, key, item)) {
      repeats += 1;
      continue;
    }
    const { layout } = target.view;
    const event = { timeMs: item.eventMs, values: target.places.map((place) => item.values[place] ?? null) };
    const entry = entryOf(target.view, key);
    addEvent(layout, entry.state, event, context.settledMs);
    remember(target, entry, item);
    isLate &&= item.eventMs < floorTo(item.arrivalMs - layout.longestMs, layout.hopMs);
    context.onTouched(entry);
  }
  if (repeats > 0 && repeats === item.projections.length) {
    context.counts.eventsDuplicate += 1;
    return;
  }
  context.counts.eventsApplied += 1;
  if (isLate) context.counts.eventsLate += 1;
}

/** True when this key has counted an event of that id. */
function isRepeat({ view, reach }: Target, key: string, { id, eventMs }: KeyedItem): boolean {
  const ids = view.keys.get(key)?.state.ids;
  if (id === undefined || reach === undefined || ids === undefined) return false;
  return isCounted(ids, { id, timeMs: eventMs }, reach);
}

function remember({ reach }: Target, { state }: KeyEntry, { id, eventMs }: KeyedItem): void {
  if (id === undefined || reach === undefined) return;
  state.ids ??= emptyIds();
  countId(state.ids, { id, timeMs: eventMs }, reach.horizonMs, limits.eventIdsPerKeyMax);
}
