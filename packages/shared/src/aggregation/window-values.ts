import { emptyStates, type KeyState, mergeTile, type Tile, tilesBefore } from "./key-state.ts";
import type { PartialState } from "./partial-state.ts";
import { floorTo, type WindowLayout } from "./window-layout.ts";

/**
 * Sawtooth windows: at the instant T a window of length w holds the events of [floor(T − w, hop), T), end exclusive.
 * An event at t therefore counts from t + 1 ms on, and its tile leaves at its start + hop + w.
 *
 * All windows end at T, so one walk from the newest tile to the oldest gives every window of every instant asked for:
 * each is the running merge at the moment its left edge is reached. Cost: tiles once, not tiles × windows × instants.
 */
export type WindowValues = readonly (number | null)[];

/** The features' values at each of the ascending instants (epoch ms), in the layout's order. */
export function windowValuesAt(
  layout: WindowLayout,
  state: KeyState,
  instantsMs: readonly number[],
): readonly WindowValues[] {
  const out: (number | null)[][] = instantsMs.map(() => new Array<number | null>(layout.features.length).fill(null));
  for (const group of groupsOfEqualHead(state, instantsMs)) {
    const tiles = tilesBefore(layout, state, instantsMs[group[0] as number] as number);
    walk(layout, tiles, group, instantsMs, out);
  }
  return out;
}

/** Indexes of instants between which no raw event enters: they see the same tiles. */
function groupsOfEqualHead(state: KeyState, instantsMs: readonly number[]): number[][] {
  const groups: number[][] = [];
  let visible = -1;
  for (let i = 0; i < instantsMs.length; i++) {
    const now = eventsBefore(state, instantsMs[i] as number);
    if (now !== visible) groups.push([]);
    visible = now;
    (groups[groups.length - 1] as number[]).push(i);
  }
  return groups;
}

function eventsBefore(state: KeyState, endMs: number): number {
  const at = state.recent.findIndex((event) => event.timeMs >= endMs);
  return at < 0 ? state.recent.length : at;
}

function walk(
  layout: WindowLayout,
  tiles: readonly Tile[],
  group: readonly number[],
  instantsMs: readonly number[],
  out: (number | null)[][],
): void {
  const edges = leftEdges(layout, group, instantsMs);
  const running = emptyStates(layout);
  let next = tiles.length - 1;
  for (const edge of edges) {
    while (next >= 0 && (tiles[next] as Tile).startMs >= edge.startMs) {
      mergeTile(layout, running, tiles[next] as Tile);
      next--;
    }
    fill(layout, running, edge.window, out[edge.instant] as (number | null)[]);
  }
}

interface LeftEdge {
  readonly startMs: number;
  readonly instant: number;
  readonly window: number;
}

/** Newest left edge first. */
function leftEdges(layout: WindowLayout, group: readonly number[], instantsMs: readonly number[]): LeftEdge[] {
  return group
    .flatMap((instant) =>
      layout.windowsMs.map((windowMs, window) => ({
        startMs: floorTo((instantsMs[instant] as number) - windowMs, layout.hopMs),
        instant,
        window,
      })),
    )
    .sort((a, b) => b.startMs - a.startMs);
}

function fill(layout: WindowLayout, states: readonly PartialState[], window: number, row: (number | null)[]): void {
  for (let i = 0; i < layout.features.length; i++) {
    const feature = layout.features[i] as WindowLayout["features"][number];
    if (feature.window === window) row[i] = feature.finalize(states[feature.slot] as PartialState);
  }
}
