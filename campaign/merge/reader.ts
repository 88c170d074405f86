import { isDeepStrictEqual } from "node:util";
import type { Records } from "@tributary/online-store/adapters/redis-records";
import { knowingShapes } from "@tributary/online-store/adapters/redis-shapes";
import { CellColumns } from "@tributary/online-store/core/cell-columns";
import { planRecord, readRecords } from "@tributary/online-store/core/record-read";
import { TributaryError } from "@tributary/shared/contracts/errors";
import type { Cell } from "@tributary/shared/merge/cell";
import { valueAt } from "@tributary/shared/merge/stored-column";
import { features, type History, type Key, keys, modelViews } from "./model.ts";
import { cellId, type Erased } from "./oracle.ts";
import { keyOf } from "./start-records.ts";

/** Every cell of every view version. */
const places: ReadonlyMap<string, number> = new Map(
  [...new Set(modelViews.map(({ name, version }) => `${name} ${version}`))].flatMap((view, i) =>
    features.map((feature, j) => [`${view} ${feature}`, i * features.length + j] as const),
  ),
);

const sections = [...new Map(modelViews.map((view) => [`${view.name} ${view.version}`, view])).values()].map(
  ({ name, version }) => ({
    view: name,
    viewVersion: version,
    places: new Map(features.map((feature) => [feature, places.get(cellId(name, version, feature)) as number])),
  }),
);

/** What a read shows of all keys at one instant, through the store's read path. @throws TributaryError UNAVAILABLE, CORRUPT */
export async function readAt(records: Records, nowMs: number): Promise<CellColumns> {
  const names = keys.map(keyOf);
  const stored = await records.read(names);
  const { shapes } = records;
  return knowingShapes(shapes, names, () => {
    const into = new CellColumns(places.size, keys.length);
    const wanted = keys.map((_, index) => index);
    return readRecords(stored, wanted, { plan: planRecord(sections), shapes, nowMs, into });
  });
}

/** Reads between the writers' steps. @throws Error when a cell is older than in the read before */
export async function watchReader(records: Records, { readsAtMs, messages }: History): Promise<void> {
  const erased = new Set(messages.flatMap((message) => (message.kind === "erasure" ? [message.key] : [])));
  let before: CellColumns | undefined;
  for (const nowMs of readsAtMs) {
    const now = await readAt(records, nowMs).catch(duringOutage);
    if (now === undefined) continue;
    if (before !== undefined) for (const key of keys) if (!erased.has(key)) checkForward(before, now, key);
    before = now;
  }
}

function duringOutage(error: unknown): undefined {
  if (!(error instanceof TributaryError && error.code === "UNAVAILABLE")) throw error;
}

function checkForward(before: CellColumns, now: CellColumns, key: Key): void {
  for (const [id, place] of places) {
    const at = place * keys.length + keys.indexOf(key);
    if (valueAt(before, at) === undefined) continue;
    if (valueAt(now, at) === undefined || (now.eventTimes[at] as number) < (before.eventTimes[at] as number))
      throw new Error(`a reader saw cell ${id} of ${key} go back`);
  }
}

/** @throws Error when a read does not show what the oracle has */
export function checkShown(shown: CellColumns, expected: ReadonlyMap<Key, Erased>, nowMs: number): void {
  for (const [index, key] of keys.entries()) {
    for (const [id, place] of places) {
      const cell = expected.get(key)?.cells.get(id);
      const at = place * keys.length + index;
      const untilMs = shown.untilMs?.[at] ?? Number.POSITIVE_INFINITY;
      const found = { value: valueAt(shown, at), eventTime: shown.eventTimes[at], untilMs };
      if (!isDeepStrictEqual(found, cellAt(cell, nowMs)))
        throw new Error(`a read at ${nowMs} shows cell ${id} of ${key} wrong`);
    }
  }
}

function cellAt(cell: Cell | undefined, nowMs: number) {
  if (cell === undefined) return { value: undefined, eventTime: 0, untilMs: Number.POSITIVE_INFINITY };
  const due = cell.schedule?.changes.filter((change) => change.atMs <= nowMs).at(-1);
  return {
    value: due === undefined ? cell.value : due.value,
    eventTime: cell.version.eventTime,
    untilMs: cell.schedule?.untilMs ?? Number.POSITIVE_INFINITY,
  };
}
