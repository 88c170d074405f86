import { toFeatureValue } from "@tributary/shared/codec/value-codec";
import type { Catalog, Entity, View } from "@tributary/shared/contracts/catalog";
import {
  type ChunkCell,
  type ChunkColumn,
  type FeatureValue,
  type RowSchedule,
  type RowsChunk,
  tombstone,
} from "@tributary/shared/contracts/chunk";
import { clockAt, ordinaryClock } from "@tributary/shared/contracts/clock";
import { keySeparator, partitionOf } from "@tributary/shared/contracts/entity-key";
import { TributaryError } from "@tributary/shared/contracts/errors";
import type { Feature } from "@tributary/shared/contracts/feature";
import { limits } from "@tributary/shared/contracts/limits";
import type { Version } from "@tributary/shared/contracts/version";
import type { Cell, CellChange, CellSchedule } from "@tributary/shared/merge/cell";
import type { SectionWrite } from "./cell-merge.ts";
import { type Shape, shapeOf } from "./shape.ts";
import { isMarked, viewRecordKey } from "./store-keys.ts";

/** Where a chunk's message stands in its stream: what stands in for the stamps and event times it does not carry (V4, V5). */
export interface MessagePosition {
  readonly subject: string;
  /** Creation time of the stream, epoch ms. */
  readonly incarnation: number;
  readonly sequence: number;
  /** The broker's timestamp, epoch ms. */
  readonly timestampMs: number;
}

/** What one row writes into one record. */
export interface RecordWrite extends SectionWrite {
  readonly key: string;
}

/** Instants beyond this (the year 73,000) do not fit a record; a chunk with one is not from our edges. */
const instantMax = 2 ** 51;

export interface RowsContext {
  readonly catalog: Catalog;
  readonly position: MessagePosition;
}

/**
 * What a chunk's rows write, one entry a row.
 * @throws TributaryError MALFORMED, WRONG_PARTITION, BAD_KEY, BAD_TIME, BAD_VALUE, UNKNOWN_FEATURE, LIMIT_EXCEEDED
 */
export function rowsOf(chunk: RowsChunk, view: View, context: RowsContext): RecordWrite[] {
  const at = rowReader(chunk, view, context);
  return chunk.keys.map((_, row) => at(row));
}

/** The same row by row: a large chunk is much to check at once. It and what it gives throw as `rowsOf`. */
export function rowReader(chunk: RowsChunk, view: View, context: RowsContext): (row: number) => RecordWrite {
  const entity = entityOf(context.catalog, view);
  const features = featuresOf(chunk, view);
  const columns = inShapeOrder(features);
  const shape = shapeOfView(view);
  return (row) => {
    const key = chunk.keys[row] as string;
    checkKey(key, chunk.partition, { entity, partitions: context.catalog.partitions });
    const version = versionOf(chunk, row, context.position);
    const cells = cellsOf(chunk, row, { features, columns, version });
    return { key: viewRecordKey(chunk.partition, view, key), shape, cells };
  };
}

const shapes = new WeakMap<View, Shape>();

/** Worked out once a view and catalog version. */
function shapeOfView(view: View): Shape {
  const known = shapes.get(view);
  if (known !== undefined) return known;
  const names = view.features.map((feature) => feature.name);
  const shape = shapeOf(view.name, view.version, names);
  shapes.set(view, shape);
  return shape;
}

function entityOf(catalog: Catalog, view: View): Entity {
  const entity = catalog.entities[view.entity];
  if (entity) return entity;
  throw new TributaryError(
    "INVALID_DEFINITION",
    `view "${view.name}" names entity "${view.entity}", which does not exist`,
  );
}

/** The feature of each column. */
function featuresOf(chunk: RowsChunk, view: View): Feature[] {
  const byName = new Map(view.features.map((feature) => [feature.name, feature]));
  const names = new Set(chunk.columns.map((column) => column.feature));
  if (names.size < chunk.columns.length) throw new TributaryError("MALFORMED", "a feature stands in two columns");
  return chunk.columns.map(({ feature: name }) => {
    const feature = byName.get(name);
    if (feature === undefined) {
      throw new TributaryError(
        "UNKNOWN_FEATURE",
        `view "${view.name}" version ${view.version} has no feature "${name}"`,
      );
    }
    return feature;
  });
}

/** Columns by their feature's name, as a shape has them, so that the cells of a whole row need not be sorted one by one. */
function inShapeOrder(features: readonly Feature[]): number[] {
  const nameOf = (index: number) => (features[index] as Feature).name;
  return [...features.keys()].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}

function checkKey(
  key: string,
  partition: number,
  { entity, partitions }: { readonly entity: Entity; readonly partitions: number },
): void {
  if (
    key === "" ||
    Buffer.byteLength(key) > limits.keyBytesMax ||
    countParts(key) !== entity.keys.length ||
    isMarked(key)
  ) {
    throw new TributaryError("BAD_KEY", `a key is not one of entity "${entity.name}"`);
  }
  if (partitionOf(key, partitions) !== partition) {
    throw new TributaryError(
      "WRONG_PARTITION",
      `a key of entity "${entity.name}" does not belong to partition ${partition}`,
    );
  }
}

function countParts(key: string): number {
  let parts = 1;
  for (let at = key.indexOf(keySeparator); at >= 0; at = key.indexOf(keySeparator, at + 1)) parts++;
  return parts;
}

/** V2–V5: the chunk's own stamps, else the message's place in its stream (direct lane). */
function versionOf(chunk: RowsChunk, row: number, position: MessagePosition): Version {
  const eventTime = eventTimeOf(chunk, row, position);
  if (chunk.stamps === undefined) {
    if (chunk.lane !== "direct") throw new TributaryError("MALFORMED", `a ${chunk.lane} chunk carries no stamps`);
    return { eventTime, incarnation: position.incarnation, sequence: position.sequence, minor: row };
  }
  const incarnation = count(chunk.stamps.incarnations[row]);
  return {
    eventTime,
    incarnation,
    sequence: count(chunk.stamps.sequences[row]),
    minor: count(chunk.stamps.minors[row]),
  };
}

function eventTimeOf(chunk: RowsChunk, row: number, position: MessagePosition): number {
  const given = chunk.eventTimes[row];
  if (typeof given === "number") return instant(given);
  if (chunk.lane !== "direct") throw new TributaryError("BAD_TIME", `a ${chunk.lane} row carries no event time`);
  return instant(clockAt(chunk.clock ?? ordinaryClock, position.timestampMs));
}

function instant(value: number): number {
  if (Number.isInteger(value) && Math.abs(value) <= instantMax) return value;
  throw new TributaryError("BAD_TIME", `an instant is not a whole number of milliseconds within ±${instantMax}`);
}

function count(value: number | undefined): number {
  if (value !== undefined && Number.isSafeInteger(value) && value >= 0) return value;
  throw new TributaryError("MALFORMED", "a stamp is not a whole number from 0 on");
}

interface RowContext {
  /** Of each column. */
  readonly features: readonly Feature[];
  /** In the order of their cells. */
  readonly columns: readonly number[];
  readonly version: Version;
}

function cellsOf(chunk: RowsChunk, row: number, { features, columns, version }: RowContext): Cell[] {
  const schedules = readSchedule(chunk.schedules?.[row] ?? undefined, features);
  const cells: Cell[] = [];
  for (const index of columns) {
    const known = features[index] as Feature;
    const value = checkedCell(chunk.columns[index] as ChunkColumn, row, known);
    if (value === undefined) continue;
    const schedule = schedules?.[index];
    // The catalog's own text of the name is found again faster than the chunk's.
    const feature = known.name;
    cells.push(schedule === undefined ? { feature, version, value } : { feature, version, value, schedule });
  }
  return cells;
}

function checkedCell(column: ChunkColumn, row: number, feature: Feature): ChunkCell {
  const cell = column.cells[row];
  return cell === undefined || cell === tombstone ? cell : toFeatureValue(feature, cell);
}

/** The row's schedule as one schedule a column: a schedule belongs to its cells. */
function readSchedule(schedule: RowSchedule | undefined, features: readonly Feature[]): CellSchedule[] | undefined {
  if (schedule === undefined) return undefined;
  if (schedule.steps.length > limits.scheduleStepsMax) {
    throw new TributaryError("LIMIT_EXCEEDED", `a schedule has more than ${limits.scheduleStepsMax} steps`);
  }
  const untilMs = instant(schedule.untilMs);
  const changes: CellChange[][] = features.map(() => []);
  let before = Number.NEGATIVE_INFINITY;
  for (const step of schedule.steps) {
    if (instant(step.atMs) <= before)
      throw new TributaryError("MALFORMED", "a schedule's steps are not in order of time");
    before = step.atMs;
    for (const [column, value] of step.changes) addChange(changes, features, { column, atMs: step.atMs, value });
  }
  return changes.map((own) => ({ untilMs, changes: own }));
}

function addChange(
  changes: readonly CellChange[][],
  features: readonly Feature[],
  { column, atMs, value }: { readonly column: number; readonly atMs: number; readonly value: FeatureValue },
): void {
  const [own, feature] = [changes[column], features[column]];
  if (own === undefined || feature === undefined || own.at(-1)?.atMs === atMs) {
    throw new TributaryError("MALFORMED", "a schedule step names a column twice, or none of the chunk's");
  }
  own.push({ atMs, value: toFeatureValue(feature, value) });
}
