import { decodeKeyState, encodeKeyState } from "@tributary/shared/aggregation/key-state-codec";
import type { Catalog } from "@tributary/shared/contracts/catalog";
import type { OriginPosition } from "@tributary/shared/contracts/events";
import type { ErasedKey } from "./erased-keys.ts";
import { idsUntilMs } from "./id-reach.ts";
import { emptyPartition, entryOf, type KeyEntry, type PartitionState } from "./partition-state.ts";

/** A partition as it is stored: everything in it belongs to one position (S1). */
export interface StoredPartition {
  readonly incarnation: number;
  readonly position: number;
  readonly catalogVersion: number;
  readonly origins: ReadonlyMap<string, OriginPosition>;
  readonly marks: ReadonlyMap<string, number>;
  readonly watermarks: ReadonlyMap<string, number>;
}

export interface KeyName {
  readonly view: string;
  readonly viewVersion: number;
  readonly key: string;
}

export interface StoredKey extends KeyName {
  readonly state: Uint8Array;
  /** Until when the last acknowledged row tells the key's values; null: its newest row is not acknowledged. */
  readonly toldUntilMs: number | null;
}

export interface LoadedPartition {
  readonly stored: StoredPartition;
  readonly keys: readonly StoredKey[];
  readonly erased: readonly ErasedKey[];
}

/** A copy that later changes of the state do not touch. */
export function storePartition(state: PartitionState): StoredPartition {
  return {
    incarnation: state.incarnation,
    position: state.position,
    catalogVersion: state.catalog.version,
    origins: new Map(state.origins),
    marks: new Map(state.marks),
    watermarks: new Map(state.watermarks),
  };
}

export function nameOf({ view, key }: KeyEntry): KeyName {
  return { view: view.view.name, viewVersion: view.view.version, key };
}

export function storeKey(entry: KeyEntry, isPublished: boolean): StoredKey {
  const told = isPublished ? entry.told : undefined;
  return {
    ...nameOf(entry),
    state: encodeKeyState(entry.view.layout, entry.state),
    toldUntilMs: told?.row.schedule.untilMs ?? null,
  };
}

/** The state at the stored position, and which keys a successor has to publish whatever they hold (S2). */
export function restorePartition(
  partition: number,
  catalog: Catalog,
  { stored, keys, erased }: LoadedPartition,
): { state: PartitionState; unpublished: KeyEntry[]; told: { entry: KeyEntry; untilMs: number }[] } {
  const state = emptyPartition(partition, catalog, stored);
  for (const field of ["origins", "marks", "watermarks"] as const)
    for (const [name, value] of stored[field]) (state[field] as Map<string, unknown>).set(name, value);
  for (const key of erased) state.erased.add(key);
  const unpublished: KeyEntry[] = [];
  const told: { entry: KeyEntry; untilMs: number }[] = [];
  for (const { view: name, viewVersion, key, state: bytes, toldUntilMs } of keys) {
    const view = state.views.get(name);
    if (view?.view.version !== viewVersion) continue;
    const entry = entryOf(view, key, decodeKeyState(view.layout, bytes));
    if (toldUntilMs === null) unpublished.push(entry);
    else told.push({ entry, untilMs: Math.min(toldUntilMs, lastChangeMs(state, entry)) });
  }
  return { state, unpublished, told };
}

/** When the last of what the key holds has left its longest window, and its ids may go. */
function lastChangeMs(partition: PartitionState, entry: KeyEntry): number {
  const { tiles, recent } = entry.state;
  const { hopMs, longestMs } = entry.view.layout;
  const newest = Math.max(
    tiles.at(-1)?.startMs ?? Number.NEGATIVE_INFINITY,
    recent.at(-1)?.timeMs ?? Number.NEGATIVE_INFINITY,
  );
  return Math.max(newest + 2 * hopMs + longestMs, idsUntilMs(partition, entry));
}
