import { isDeepStrictEqual } from "node:util";
import type { Version } from "@tributary/shared/contracts/version";
import type { Cell, CellSchedule } from "@tributary/shared/merge/cell";
import {
  type FeatureName,
  features,
  type History,
  type Key,
  keys,
  type ModelRow,
  type ModelView,
  modelViews,
  valuesInOrder,
  versionOf,
} from "./model.ts";

/**
 * What the store must hold in the end, spelled out without any code of the merge: of every cell that was ever written and that no
 * erasure covers, the one of the greatest rank. A rank is a string that sorts as V1 says.
 */
export type Cells = ReadonlyMap<string, Cell>;

export interface Erased {
  readonly cells: Cells;
  readonly erasure: Version | undefined;
}

export function expectedOf(history: History): ReadonlyMap<Key, Erased> {
  const written = writtenIn(history);
  return new Map(
    keys.map((key) => {
      const erasure = erasuresOf(history, key).toSorted(compareInstants).at(-1);
      const live = written.filter((one) => one.key === key && !isCovered(one.cell, erasure));
      return [key, { cells: greatest(live), erasure }];
    }),
  );
}

export function cellId(view: string, viewVersion: number, feature: string): string {
  return `${view} ${viewVersion} ${feature}`;
}

interface Written {
  readonly key: Key;
  readonly id: string;
  readonly cell: Cell;
}

function writtenIn(history: History): Written[] {
  const before = history.start.flatMap(({ key, rows }) =>
    rows.flatMap(({ view, row }) => cellsOf(view, { ...row, key }, row.version)),
  );
  const rows = history.messages.flatMap((message) =>
    message.kind === "rows"
      ? message.rows.flatMap((row, index) => cellsOf(message.view, row, versionOf(message, index)))
      : [],
  );
  return [...before, ...rows];
}

/** The cells of one row of a view; what the view does not have is not written. */
export function cellsOf(view: number, row: ModelRow, version: Version): Written[] {
  const { name, version: viewVersion, features: own } = modelViews[view] as ModelView;
  return own.flatMap((feature) => {
    const value = row.cells[feature];
    if (value === undefined) return [];
    const schedule = scheduleOf(row, feature);
    const cell: Cell = { feature, version, value, ...(schedule && { schedule }) };
    return [{ key: row.key, id: cellId(name, viewVersion, feature), cell }];
  });
}

function scheduleOf({ schedule }: ModelRow, feature: FeatureName): CellSchedule | undefined {
  if (schedule === null) return undefined;
  const changes = schedule.steps.flatMap(({ atMs, values }) => {
    const value = values[feature];
    return value === undefined ? [] : [{ atMs, value }];
  });
  return { untilMs: schedule.untilMs, changes };
}

function erasuresOf({ start, messages }: History, key: Key): Version[] {
  const before = start.flatMap((record) => (record.key === key && record.erasure !== null ? [record.erasure] : []));
  return [...before, ...messages.flatMap((one) => (one.kind === "erasure" && one.key === key ? [one.version] : []))];
}

export function isCovered(cell: Cell, erasure: Version | undefined): boolean {
  return erasure !== undefined && compareInstants(cell.version, erasure) <= 0;
}

export function compareInstants(a: Version, b: Version): number {
  const [left, right] = [versionText(a), versionText(b)];
  return left < right ? -1 : Number(left > right);
}

function greatest(written: readonly Written[]): Cells {
  const best = new Map<string, Cell>();
  for (const { id, cell } of written) {
    const holder = best.get(id);
    if (holder === undefined || rankOf(cell) > rankOf(holder)) best.set(id, cell);
  }
  return best;
}

export function rankOf({ feature, version, value, schedule }: Cell): string {
  const name = features.find((one) => one === feature) as FeatureName;
  const changes = schedule?.changes.map(({ atMs, value: later }) => littleEndian(atMs) + placeOf(name, later)) ?? [];
  const until = schedule === undefined ? "" : littleEndian(schedule.untilMs);
  return [versionText(version), placeOf(name, value), until, ...changes].join("");
}

function versionText({ eventTime, incarnation, sequence, minor }: Version): string {
  return [eventTime, incarnation, sequence, minor].map((part) => String(part + 10).padStart(3, "0")).join(".");
}

function placeOf(feature: FeatureName, value: Cell["value"]): string {
  const place = valuesInOrder[feature].findIndex((one) => isDeepStrictEqual(one, value));
  return String(place).padStart(2, "0");
}

/** An instant inside a cell's contents: its bytes decide, and they stand in this order. */
function littleEndian(instant: number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(instant);
  return bytes.toString("hex");
}
