import type { EventIds } from "./event-ids.ts";
import { type PartialState, partials } from "./partial-state.ts";
import { floorTo, type WindowLayout } from "./window-layout.ts";

/**
 * What a key's windows are made of: hop-aligned tiles of partial states, and, as raw events, the newest ones.
 *
 * A window ends at the reading clock's now, to the millisecond, and that clock may be seen a little ahead of where it is then
 * paused. So events stay raw until time has safely passed them (`settledMs`); only then they fold into their tile.
 */
export interface KeyState {
  /** Greatest event time given to the key, whether or not a window took it (V3); −Infinity before the first. */
  greatestEventMs: number;
  /** Ascending start. */
  readonly tiles: Tile[];
  /** Ascending time; of equal times the first given stands first. */
  readonly recent: RecentEvent[];
  /** Of events that carry one; absent before the first. */
  ids?: EventIds;
}

export interface Tile {
  readonly startMs: number;
  /** One state a slot. */
  readonly states: PartialState[];
}

/** `values`: one a field of the layout; null where the event has none. */
export interface RecentEvent {
  readonly timeMs: number;
  readonly values: readonly (number | null)[];
}

export function emptyKeyState(): KeyState {
  return { greatestEventMs: Number.NEGATIVE_INFINITY, tiles: [], recent: [] };
}

/** Gives an event to the key; `settledMs` is the instant before which the clock can no longer be. */
export function addEvent(layout: WindowLayout, state: KeyState, event: RecentEvent, settledMs: number): void {
  state.greatestEventMs = Math.max(state.greatestEventMs, event.timeMs);
  if (event.timeMs < settledMs) addToTile(layout, state.tiles, event);
  else insertRecent(state.recent, event);
}

/** Folds events that time has safely passed, and drops tiles that left the longest window. */
export function settle(layout: WindowLayout, state: KeyState, settledMs: number): void {
  const folded = state.recent.findIndex((event) => event.timeMs >= settledMs);
  const count = folded < 0 ? state.recent.length : folded;
  for (const event of state.recent.splice(0, count)) addToTile(layout, state.tiles, event);
  const bound = floorTo(settledMs - layout.longestMs, layout.hopMs);
  const kept = state.tiles.findIndex((tile) => tile.startMs >= bound);
  state.tiles.splice(0, kept < 0 ? state.tiles.length : kept);
}

/** True when no window can ever hold anything of what the key was given. */
export function isSpent(state: KeyState): boolean {
  return state.tiles.length === 0 && state.recent.length === 0;
}

/** Tiles that also hold the raw events before `endMs`, ascending; a start may stand twice. The state is not changed. */
export function tilesBefore(layout: WindowLayout, state: KeyState, endMs: number): readonly Tile[] {
  const overlay: Tile[] = [];
  for (const event of state.recent) {
    if (event.timeMs >= endMs) break;
    addToTile(layout, overlay, event);
  }
  if (overlay.length === 0) return state.tiles;
  return [...state.tiles, ...overlay].sort((a, b) => a.startMs - b.startMs);
}

export function emptyStates(layout: WindowLayout): PartialState[] {
  return layout.slots.map((slot) => partials[slot.kind].empty());
}

/** Adds the tile's states to `into`, which changes; the tile does not. */
export function mergeTile(layout: WindowLayout, into: PartialState[], tile: Tile): void {
  for (let i = 0; i < layout.slots.length; i++) {
    const slot = layout.slots[i] as WindowLayout["slots"][number];
    into[i] = partials[slot.kind].merge(into[i] as PartialState, tile.states[i] as PartialState);
  }
}

function addToTile(layout: WindowLayout, tiles: Tile[], event: RecentEvent): void {
  const { states } = tileAt(layout, tiles, floorTo(event.timeMs, layout.hopMs));
  for (let i = 0; i < layout.slots.length; i++) {
    const { kind, field } = layout.slots[i] as WindowLayout["slots"][number];
    const value = field < 0 ? 0 : event.values[field];
    if (value !== null && value !== undefined) states[i] = partials[kind].add(states[i] as PartialState, value);
  }
}

/** Most events belong to the newest tiles, so the search starts there. */
function tileAt(layout: WindowLayout, tiles: Tile[], startMs: number): Tile {
  let at = tiles.length;
  while (at > 0 && (tiles[at - 1] as Tile).startMs > startMs) at--;
  const found = tiles[at - 1];
  if (found?.startMs === startMs) return found;
  const tile = { startMs, states: emptyStates(layout) };
  tiles.splice(at, 0, tile);
  return tile;
}

function insertRecent(recent: RecentEvent[], event: RecentEvent): void {
  let at = recent.length;
  while (at > 0 && (recent[at - 1] as RecentEvent).timeMs > event.timeMs) at--;
  recent.splice(at, 0, event);
}
