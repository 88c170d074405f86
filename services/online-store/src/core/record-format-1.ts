import { ByteReader, corrupt } from "@tributary/shared/merge/byte-reader";
import type { Cell } from "@tributary/shared/merge/cell";
import { readValue } from "@tributary/shared/merge/cell-value";
import { groupFlags, readChanges, readInstants, readVersion } from "./section.ts";

/**
 * A section of the first record format, which brought every name along; read, never written.
 *
 *   varint n, n bytes   section id: view name (ASCII), 0x00, view version (decimal)
 *   varint m, m bytes   cells:
 *     varint d, d bytes   dictionary: the features' names in order, each varint length and UTF-8
 *     groups to the end:
 *       byte              flags: bit 0 = scheduled
 *       version, [scheduled] as in section.ts
 *       varint c          cells, each: varint index into the dictionary, value,
 *                         [scheduled] varint changes, each varint index into the instants, value
 */
export interface Format1Section {
  readonly view: string;
  readonly viewVersion: number;
  readonly cells: readonly Cell[];
}

/** @throws TributaryError CORRUPT */
export function readFormat1Section(reader: ByteReader): Format1Section {
  const [view = "", viewVersion] = reader.text().split("\0");
  const size = reader.varint();
  const start = reader.position;
  reader.skip(size);
  return {
    view,
    viewVersion: Number(viewVersion),
    cells: readCells(new ByteReader(reader.bytes, start, start + size)),
  };
}

function readCells(reader: ByteReader): Cell[] {
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
  const scheduled = readFlags(reader);
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

function readFlags(reader: ByteReader): boolean {
  const flags = reader.byte();
  if (flags > groupFlags.scheduled) throw corrupt(`unknown group flags ${flags}`);
  return flags === groupFlags.scheduled;
}
