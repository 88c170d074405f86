import { forgetBefore } from "@tributary/shared/aggregation/event-ids";
import { floorTo, type WindowLayout } from "@tributary/shared/aggregation/window-layout";
import type { Version } from "@tributary/shared/contracts/version";
import type { KeyEntry, PartitionState, ViewState } from "./partition-state.ts";

/**
 * Erased keys and up to which event time, part of a partition's state. An erasure takes out what is of that time or before,
 * and nothing of it is counted when it comes later: a twin of an event, a straggler, an event routed again. So it is judged by
 * event time and needs no list of ids: the same erasure a second time, however late, finds nothing and takes nothing.
 *
 * A tile is one number for all its events. One that the instant falls into goes as a whole: of an erasure that reaches its
 * partition late, up to a hop of what came after the instant goes with it. What comes behind the item is counted as usual.
 */
export class ErasedKeys {
  /** Entity → key → epoch ms. */
  readonly #byEntity = new Map<string, Map<string, number>>();

  of(entity: string): ReadonlyMap<string, number> | undefined {
    return this.#byEntity.get(entity);
  }

  /** True of a row that the store erases. */
  coversRow({ view, key }: KeyEntry, { eventTime }: Version): boolean {
    return eventTime <= (this.#byEntity.get(view.view.entity)?.get(key) ?? Number.NEGATIVE_INFINITY);
  }

  covers({ entity, key, eventTime }: ErasedKey): boolean {
    return (this.#byEntity.get(entity)?.get(key) ?? Number.NEGATIVE_INFINITY) >= eventTime;
  }

  add({ entity, key, eventTime }: ErasedKey): void {
    const keys = this.#byEntity.get(entity) ?? new Map<string, number>();
    this.#byEntity.set(entity, keys);
    keys.set(key, eventTime);
  }
}

export interface ErasedKey {
  readonly entity: string;
  readonly key: string;
  /** What is of this event time or before is gone, epoch ms. */
  readonly eventTime: number;
}

export interface Erased {
  /** Keys of which nothing is left; they are no longer in their views. */
  readonly gone: readonly KeyEntry[];
  /** Keys with events after the erasure: what was told of them counts events that are gone. */
  readonly changed: readonly KeyEntry[];
}

/** Takes the key out of every view of its entity; undefined when the state says already that it is out. */
export function eraseKey(state: PartitionState, erasure: ErasedKey): Erased | undefined {
  if (state.erased.covers(erasure)) return undefined;
  state.erased.add(erasure);
  const gone: KeyEntry[] = [];
  const changed: KeyEntry[] = [];
  for (const entry of entriesOf(state, erasure)) {
    if (entry.state.greatestEventMs > erasure.eventTime) {
      cut(entry.view.layout, entry, erasure.eventTime);
      changed.push(entry);
    } else {
      drop(entry);
      gone.push(entry);
    }
  }
  return { gone, changed };
}

export function entriesOf({ views }: PartitionState, { entity, key }: Omit<ErasedKey, "eventTime">): KeyEntry[] {
  return [...views.values()]
    .filter(({ view }) => view.entity === entity)
    .flatMap((view: ViewState) => view.keys.get(key) ?? []);
}

/**
 * V3: the greatest event time stays, so that what is told next is newer than what was told. By the tile's end, for raw events
 * as well: which of them are in a tile already is a matter of the clock, and the state must not be.
 */
function cut(layout: WindowLayout, entry: KeyEntry, eventTime: number): void {
  const { state } = entry;
  const endMs = floorTo(eventTime, layout.hopMs) + layout.hopMs;
  removeBelow(state.tiles, endMs, ({ startMs }) => startMs);
  removeBelow(state.recent, endMs, ({ timeMs }) => timeMs);
  if (state.ids) forgetBefore(state.ids, eventTime + 1);
  // The store may have erased what was told: of equal values readers would see none.
  entry.told = undefined;
}

/** Every later row has an event time above the erasure, and so above all that was told. Queues may hold the entry for a while. */
function drop(entry: KeyEntry): void {
  entry.view.keys.delete(entry.key);
  entry.told = undefined;
  entry.state.tiles.length = 0;
  entry.state.recent.length = 0;
  delete entry.state.ids;
}

function removeBelow<T>(ascending: T[], instantMs: number, timeOf: (item: T) => number): void {
  const kept = ascending.findIndex((item) => timeOf(item) >= instantMs);
  ascending.splice(0, kept < 0 ? ascending.length : kept);
}
