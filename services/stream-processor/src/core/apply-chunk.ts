import { countId, emptyIds, type IdReach, isCounted } from "@tributary/shared/aggregation/event-ids";
import { addEvent } from "@tributary/shared/aggregation/key-state";
import { floorTo } from "@tributary/shared/aggregation/window-layout";
import { compareOrigins } from "@tributary/shared/contracts/events";
import { limits } from "@tributary/shared/contracts/limits";
import { idReach } from "./id-reach.ts";
import type { KeyedChunk, KeyedItem } from "./keyed-item.ts";
import { advanceWatermark, seriesName, takeMark } from "./marks.ts";
import { entryOf, type KeyEntry, type PartitionState, type ViewState } from "./partition-state.ts";
import { columnName } from "./routing-plan.ts";

export interface ApplyCounts {
  eventsApplied: number;
  eventsDuplicate: number;
  eventsLate: number;
  eventsErased: number;
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
  const erased = state.erased.of(chunk.entity);
  let greatest = state.origins.get(series);
  for (const item of chunk.items) {
    const origin = { incarnation: chunk.incarnation, sequence: item.sequence, index: item.index };
    if (greatest !== undefined && compareOrigins(origin, greatest) <= 0) {
      context.counts.eventsDuplicate += 1;
      continue;
    }
    greatest = origin;
    applyItem(item, { targets, erased }, context);
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

interface Place {
  /** One a view of the chunk. */
  readonly targets: readonly (Target | undefined)[];
  /** Keys of the entity, and up to which event time; undefined: none. */
  readonly erased: ReadonlyMap<string, number> | undefined;
}

function applyItem(item: KeyedItem, { targets, erased }: Place, context: ApplyContext): void {
  let isLate = true;
  let repeats = 0;
  let gone = 0;
  for (const [index, key] of item.projections) {
    const target = targets[index];
    if (target === undefined) continue;
    if (erased !== undefined && item.eventMs <= (erased.get(key) ?? Number.NEGATIVE_INFINITY)) {
      gone += 1;
      continue;
    }
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
  if (gone + repeats > 0 && gone + repeats === item.projections.length) {
    if (gone > 0) context.counts.eventsErased += 1;
    else context.counts.eventsDuplicate += 1;
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
