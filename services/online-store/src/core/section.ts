import type { FeatureValue } from "@tributary/shared/contracts/chunk";
import { tombstone } from "@tributary/shared/contracts/chunk";
import { compareVersions, type Version } from "@tributary/shared/contracts/version";
import { type ByteReader, corrupt } from "@tributary/shared/merge/byte-reader";
import { ByteWriter } from "@tributary/shared/merge/byte-writer";
import type { Cell, CellChange } from "@tributary/shared/merge/cell";
import { readValue, writeValue } from "@tributary/shared/merge/cell-value";

/**
 * The cells of one view version as bytes. Cells of one version and schedule end share a group, so that a view written
 * whole stores its version once. One set of cells has one encoding.
 *
 *   varint d, d bytes   dictionary: the features' names in order, each varint length and UTF-8
 *   groups to the end, the newest version first:
 *     byte              flags: bit 0 = scheduled
 *     version           signed varint event time (epoch ms), varints incarnation, sequence, minor
 *     [scheduled]       signed varint (until − event time); varint k, then k instants, each a signed varint: the
 *                       distance from the one before, the first from the event time
 *     varint c          cells, each: varint index into the dictionary, value,
 *                       [scheduled] varint changes, each varint index into the instants, value
 */
const scheduledFlag = 1;

const dictionaryWriter = new ByteWriter();

export function writeSection(writer: ByteWriter, cells: readonly Cell[]): void {
  const sorted = [...cells].sort((a, b) => (a.feature < b.feature ? -1 : 1));
  dictionaryWriter.clear();
  for (const cell of sorted) dictionaryWriter.text(cell.feature);
  writer.varint(dictionaryWriter.length);
  writer.raw(dictionaryWriter.copy());
  for (const group of groupsOf(sorted)) writeGroup(writer, group);
}

interface IndexedCell {
  readonly index: number;
  readonly cell: Cell;
}

function groupsOf(sorted: readonly Cell[]): IndexedCell[][] {
  const groups: IndexedCell[][] = [];
  for (const [index, cell] of sorted.entries()) {
    const group = groups.find((candidate) => compareGroups(candidate, [{ index, cell }]) === 0);
    if (group) group.push({ index, cell });
    else groups.push([{ index, cell }]);
  }
  return groups.sort((a, b) => compareGroups(b, a));
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

function writeGroup(writer: ByteWriter, group: readonly IndexedCell[]): void {
  const { version, schedule } = headOf(group);
  writer.byte(schedule === undefined ? 0 : scheduledFlag);
  writeVersion(writer, version);
  const instants = schedule === undefined ? [] : instantsOf(group);
  if (schedule !== undefined) {
    writer.signedVarint(schedule.untilMs - version.eventTime);
    writeInstants(writer, instants, version.eventTime);
  }
  writer.varint(group.length);
  for (const { index, cell } of group) {
    writer.varint(index);
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
export function readSection(reader: ByteReader): Cell[] {
  const features = readDictionary(reader);
  const cells: Cell[] = [];
  while (!reader.done) readGroup(reader, features, cells);
  return cells;
}

function readDictionary(reader: ByteReader): string[] {
  const end = reader.varint() + reader.position;
  if (end > reader.end) throw corrupt("a dictionary ends too early");
  const features: string[] = [];
  while (reader.position < end) features.push(reader.text());
  if (reader.position !== end) throw corrupt("a dictionary does not end where it says");
  return features;
}

function readGroup(reader: ByteReader, features: readonly string[], cells: Cell[]): void {
  const scheduled = readGroupFlags(reader);
  const version = readVersion(reader);
  const untilMs = scheduled ? version.eventTime + reader.signedVarint() : 0;
  const instants = scheduled ? readInstants(reader, version.eventTime) : [];
  const count = reader.varint();
  for (let i = 0; i < count; i++) {
    const feature = features[reader.varint()];
    if (feature === undefined) throw corrupt("a cell names no feature");
    const value = readValue(reader);
    if (scheduled)
      cells.push({ feature, version, value, schedule: { untilMs, changes: readChanges(reader, instants) } });
    else cells.push({ feature, version, value });
  }
}

/** Whether the group's cells are scheduled. */
export function readGroupFlags(reader: ByteReader): boolean {
  const flags = reader.byte();
  if (flags > scheduledFlag) throw corrupt(`unknown group flags ${flags}`);
  return flags === scheduledFlag;
}

export function readVersion(reader: ByteReader): Version {
  return {
    eventTime: reader.signedVarint(),
    incarnation: reader.varint(),
    sequence: reader.varint(),
    minor: reader.varint(),
  };
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

function readChanges(reader: ByteReader, instants: readonly number[]): CellChange[] {
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
