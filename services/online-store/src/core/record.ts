import { crc32 } from "node:zlib";
import type { Version } from "@tributary/shared/contracts/version";
import { ByteReader, corrupt } from "@tributary/shared/merge/byte-reader";
import { ByteWriter } from "@tributary/shared/merge/byte-writer";
import { readFormat1Section } from "./record-format-1.ts";
import { readVersion, writeSection, writeVersion } from "./section.ts";
import { type Shape, type ShapeLookup, shapeOf, UnknownShape } from "./shape.ts";

/**
 * What the store keeps for one entity: one Redis string.
 *
 *   offset  bytes
 *   0       1     format = 2
 *   1       8     nonce, random at each write (V6); at a fixed place, so that the compare-and-set can look at it
 *   9       4     CRC-32 (IEEE), little-endian, of everything from offset 13 on
 *   13      1     flags: bit 0 = an erasure version follows
 *   14      …     [erasure version], then sections to the end, ordered by shape id:
 *                   6 bytes             shape id, big-endian: view, view version and features' names (see shape.ts)
 *                   varint m, m bytes   cells (see section.ts)
 *
 * Section lengths stand in front, so that a read skips what it does not need. Apart from the nonce, equal contents of equal
 * shapes have equal bytes.
 *
 * Version history
 *   1  every section brought its view's name and its features' names (record-format-1.ts); read, not written any more
 *   2  shapes
 */
export const recordFormat = 2;
export const nonceOffset = 1;
export const nonceBytes = 8;
export const shapeIdBytes = 6;
const crcOffset = nonceOffset + nonceBytes;
const bodyOffset = crcOffset + 4;
const erasureFlag = 1;

/** A record without its nonce. */
export interface EntityRecord {
  /** Cells up to this version are gone, whatever their lane. */
  readonly erasure?: Version;
  /** By section id (view and view version); the bytes of each are decoded only when needed. */
  readonly sections: ReadonlyMap<string, StoredSection>;
}

export interface StoredSection {
  readonly shape: Shape;
  readonly body: Uint8Array;
}

export const emptyRecord: EntityRecord = { sections: new Map() };

const writer = new ByteWriter();

/** The bytes of a record; `nonce` has 8 random bytes. */
export function encodeRecord(record: EntityRecord, nonce: Uint8Array): Buffer {
  writer.clear();
  writer.byte(recordFormat);
  writer.raw(nonce);
  writer.uint32(0);
  writer.byte(record.erasure === undefined ? 0 : erasureFlag);
  if (record.erasure !== undefined) writeVersion(writer, record.erasure);
  for (const { shape, body } of [...record.sections.values()].sort((a, b) => a.shape.id - b.shape.id)) {
    writer.uint48(shape.id);
    writer.varint(body.length);
    writer.raw(body);
  }
  const bytes = writer.copy();
  bytes.writeUInt32LE(crc32(bytes.subarray(bodyOffset)), crcOffset);
  return bytes;
}

/** @throws TributaryError CORRUPT; UnknownShape */
export function decodeRecord(bytes: Buffer, shapes: ShapeLookup): EntityRecord {
  const { reader, erasure, format } = openRecord(bytes);
  const sections = new Map<string, StoredSection>();
  while (!reader.done) {
    const stored = format === 1 ? upgrade(reader) : readStored(reader, shapes);
    sections.set(stored.shape.section, stored);
  }
  return erasure === undefined ? { sections } : { erasure, sections };
}

function readStored(reader: ByteReader, shapes: ShapeLookup): StoredSection {
  const id = reader.uint48();
  const shape = shapes.find(id);
  if (shape === undefined) throw new UnknownShape(id);
  return { shape, body: reader.raw(reader.varint()) };
}

function upgrade(reader: ByteReader): StoredSection {
  const { view, viewVersion, cells } = readFormat1Section(reader);
  const shape = shapeOf(
    view,
    viewVersion,
    cells.map((cell) => cell.feature),
  );
  const body = new ByteWriter();
  writeSection(body, shape, cells);
  return { shape, body: body.copy() };
}

interface OpenRecord {
  readonly reader: ByteReader;
  readonly erasure: Version | undefined;
  readonly format: 1 | 2;
}

/**
 * Checks a record's frame and stands before its first section.
 * @throws TributaryError CORRUPT
 */
export function openRecord(bytes: Buffer): OpenRecord {
  if (bytes.length <= bodyOffset) throw corrupt("it ends too early");
  const format = bytes[0];
  if (format !== 1 && format !== recordFormat) throw corrupt(`format ${format} is not known`);
  if (bytes.readUInt32LE(crcOffset) !== crc32(bytes.subarray(bodyOffset))) throw corrupt("its checksum is wrong");
  const reader = new ByteReader(bytes, bodyOffset, bytes.length);
  const flags = reader.byte();
  if (flags > erasureFlag) throw corrupt(`unknown flags ${flags}`);
  return { reader, erasure: flags === erasureFlag ? readVersion(reader) : undefined, format };
}

export function nonceOf(bytes: Buffer): Buffer {
  return bytes.subarray(nonceOffset, nonceOffset + nonceBytes);
}
