import { type FeatureValue, tombstone } from "@tributary/shared/contracts/chunk";
import { compareVersions, type Version } from "@tributary/shared/contracts/version";
import { type ByteReader, corrupt } from "@tributary/shared/merge/byte-reader";
import type { ByteWriter } from "@tributary/shared/merge/byte-writer";
import type { Cell, CellChange } from "@tributary/shared/merge/cell";
import { readValue, writeValue } from "@tributary/shared/merge/cell-value";
import type { Shape } from "./shape.ts";

/**
 * The cells of one view version as bytes. Cells of one version and schedule end share a group, so that a view written
 * whole stores its version once, and no name at all (see shape.ts). One set of cells of one shape has one encoding.
 *
 *   groups to the end, the newest version first:
 *     byte              flags: bit 0 = scheduled, bit 1 = whole: every feature of the shape
 *     version           signed varint event time (epoch ms), varints incarnation, sequence, minor
 *     [scheduled]       signed varint (until − event time); varint k, then k instants, each a signed varint: the
 *                       distance from the one before, the first from the event time
 *     [not whole]       bitmap, ⌈features ÷ 8⌉ bytes: bit i of byte i ÷ 8 = the shape's feature i is here
 *     cells in the shape's order, each: value,
 *                       [scheduled] varint changes, each varint index into the instants, value
 */
export const groupFlags = { scheduled: 1, whole: 2 } as const;
const flagsMax = groupFlags.scheduled | groupFlags.whole;

export function writeSection(writer: ByteWriter, shape: Shape, cells: readonly Cell[]): void {
  const sorted = cells.map((cell) => ({ index: indexIn(shape, cell.feature), cell })).sort((a, b) => a.index - b.index);
  for (const group of groupsOf(sorted)) writeGroup(writer, shape, group);
}

/**
 * The version of cells that are a view written whole: each feature of the shape once, in its order, all of one version, without a
 * schedule. Undefined of any others.
 */
export function wholeVersion({ features }: Shape, cells: readonly Cell[]): Version | undefined {
  const version = cells[0]?.version;
  if (version === undefined || cells.length !== features.length) return undefined;
  for (const [i, cell] of cells.entries()) {
    if (cell.feature !== features[i] || cell.schedule !== undefined) return undefined;
    if (cell.version !== version && compareVersions(cell.version, version) !== 0) return undefined;
  }
  return version;
}

/** What `writeSection` writes of such cells, without looking for groups. */
export function writeWholeSection(writer: ByteWriter, version: Version, cells: readonly Cell[]): void {
  writer.byte(groupFlags.whole);
  writeVersion(writer, version);
  for (const cell of cells) writeValue(writer, cell.value);
}

/** The greatest version of a section that has cells: its first group's. @throws TributaryError CORRUPT */
export function newestVersion(reader: ByteReader): Version {
  readGroupFlags(reader);
  return readVersion(reader);
}

interface IndexedCell {
  readonly index: number;
  readonly cell: Cell;
}

function indexIn({ features, section }: Shape, feature: string): number {
  const index = features.indexOf(feature);
  if (index < 0) throw new Error(`feature ${feature} is not of the shape of section ${section}`);
  return index;
}

function groupsOf(sorted: readonly IndexedCell[]): IndexedCell[][] {
  const groups: IndexedCell[][] = [];
  for (const one of sorted) {
    const group = groups.find((candidate) => compareGroups(candidate, [one]) === 0);
    if (group) group.push(one);
    else groups.push([one]);
  }
  return groups.length < 2 ? groups : groups.sort((a, b) => compareGroups(b, a));
}

function compareGroups(a: readonly IndexedCell[], b: readonly IndexedCell[]): number {
  const [left, right] = [headOf(a), headOf(b)];
  return compareVersions(left.version, right.version) || untilOf(left) - untilOf(right);
}

function headOf(group: readonly IndexedCell[]): Cell {
  return (group[0] as IndexedCell).cell;
}

/** Cells without a schedule stand in groups of their own. */
function untilOf(cell: Cell): number {
  return cell.schedule?.untilMs ?? Number.MIN_SAFE_INTEGER;
}

function writeGroup(writer: ByteWriter, shape: Shape, group: readonly IndexedCell[]): void {
  const { version, schedule } = headOf(group);
  const isWhole = group.length === shape.features.length;
  writer.byte((schedule === undefined ? 0 : groupFlags.scheduled) | (isWhole ? groupFlags.whole : 0));
  writeVersion(writer, version);
  const instants = schedule === undefined ? [] : instantsOf(group);
  if (schedule !== undefined) {
    writer.signedVarint(schedule.untilMs - version.eventTime);
    writeInstants(writer, instants, version.eventTime);
  }
  if (!isWhole) writeBitmap(writer, shape.features.length, group);
  for (const { cell } of group) {
    writeValue(writer, cell.value);
    if (cell.schedule !== undefined) writeChanges(writer, cell.schedule.changes, instants);
  }
}

export function writeVersion(writer: ByteWriter, version: Version): void {
  writer.signedVarint(version.eventTime);
  writer.varint(version.incarnation);
  writer.varint(version.sequence);
  writer.varint(version.minor);
}

function instantsOf(group: readonly IndexedCell[]): number[] {
  const instants = new Set(group.flatMap(({ cell }) => cell.schedule?.changes.map((change) => change.atMs) ?? []));
  return [...instants].sort((a, b) => a - b);
}

function writeInstants(writer: ByteWriter, instants: readonly number[], start: number): void {
  writer.varint(instants.length);
  let before = start;
  for (const instant of instants) {
    writer.signedVarint(instant - before);
    before = instant;
  }
}

function writeBitmap(writer: ByteWriter, features: number, group: readonly IndexedCell[]): void {
  const bitmap = new Uint8Array(bitmapBytes(features));
  for (const { index } of group) bitmap[index >> 3] = (bitmap[index >> 3] as number) | (1 << (index & 7));
  writer.raw(bitmap);
}

export function bitmapBytes(features: number): number {
  return (features + 7) >> 3;
}

function writeChanges(writer: ByteWriter, changes: readonly CellChange[], instants: readonly number[]): void {
  writer.varint(changes.length);
  for (const change of changes) {
    writer.varint(instants.indexOf(change.atMs));
    writeValue(writer, change.value);
  }
}

/**
 * Every cell of a section.
 * @throws TributaryError CORRUPT
 */
export function readSection(reader: ByteReader, shape: Shape): Cell[] {
  const cells: Cell[] = [];
  while (!reader.done) readGroup(reader, shape, cells);
  return cells;
}

function readGroup(reader: ByteReader, { features }: Shape, cells: Cell[]): void {
  const flags = readGroupFlags(reader);
  const isScheduled = (flags & groupFlags.scheduled) !== 0;
  const version = readVersion(reader);
  const untilMs = isScheduled ? version.eventTime + reader.signedVarint() : 0;
  const instants = isScheduled ? readInstants(reader, version.eventTime) : [];
  const bitmap = (flags & groupFlags.whole) === 0 ? reader.raw(bitmapBytes(features.length)) : undefined;
  for (const [index, feature] of features.entries()) {
    if (bitmap !== undefined && !isInBitmap(bitmap, index)) continue;
    const value = readValue(reader);
    if (isScheduled)
      cells.push({ feature, version, value, schedule: { untilMs, changes: readChanges(reader, instants) } });
    else cells.push({ feature, version, value });
  }
}

export function isInBitmap(bitmap: Uint8Array, index: number): boolean {
  return ((bitmap[index >> 3] as number) & (1 << (index & 7))) !== 0;
}

export function readGroupFlags(reader: ByteReader): number {
  const flags = reader.byte();
  if (flags > flagsMax) throw corrupt(`unknown group flags ${flags}`);
  return flags;
}

export function readVersion(reader: ByteReader): Version {
  return {
    eventTime: reader.signedVarint(),
    incarnation: reader.varint(),
    sequence: reader.varint(),
    minor: reader.varint(),
  };
}

/** Of a version, what comes behind the event time. */
export function skipStamp(reader: ByteReader): void {
  for (let part = 0; part < 3; part++) reader.skipVarint();
}

export function readInstants(reader: ByteReader, start: number): number[] {
  const count = reader.varint();
  const instants: number[] = [];
  let before = start;
  for (let i = 0; i < count; i++) {
    before += reader.signedVarint();
    instants.push(before);
  }
  return instants;
}

export function readChanges(reader: ByteReader, instants: readonly number[]): CellChange[] {
  const count = reader.varint();
  const changes: CellChange[] = [];
  for (let i = 0; i < count; i++) {
    const atMs = instants[reader.varint()];
    if (atMs === undefined) throw corrupt("a change names no instant");
    changes.push({ atMs, value: plainValue(reader) });
  }
  return changes;
}

function plainValue(reader: ByteReader): FeatureValue {
  const value = readValue(reader);
  if (value === tombstone) throw corrupt("a tombstone in a schedule");
  return value;
}
