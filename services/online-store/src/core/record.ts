import { crc32 } from "node:zlib";
import type { Version } from "@tributary/shared/contracts/version";
import { ByteReader, corrupt } from "@tributary/shared/merge/byte-reader";
import { ByteWriter } from "@tributary/shared/merge/byte-writer";
import { readVersion, writeVersion } from "./section.ts";

/**
 * What the store keeps for one entity: one Redis string.
 *
 *   offset  bytes
 *   0       1     format = 1
 *   1       8     nonce, random at each write (V6); at a fixed place, so that the compare-and-set can look at it
 *   9       4     CRC-32 (IEEE), little-endian, of everything from offset 13 on
 *   13      1     flags: bit 0 = an erasure version follows
 *   14      …     [erasure version], then sections to the end, ordered by id:
 *                   varint n, n bytes   section id: view name (ASCII), 0x00, view version (decimal)
 *                   varint m, m bytes   cells (see section.ts)
 *
 * Section lengths stand in front, so that a read skips what it does not need. Apart from the nonce, equal contents have
 * equal bytes. Version history: 1 first form.
 */
export const recordFormat = 1;
export const nonceOffset = 1;
export const nonceBytes = 8;
const crcOffset = nonceOffset + nonceBytes;
const bodyOffset = crcOffset + 4;
const erasureFlag = 1;

/** A record without its nonce. */
export interface EntityRecord {
  /** Cells up to this version are gone, whatever their lane. */
  readonly erasure?: Version;
  /** By section id; the bytes of each are decoded only when needed. */
  readonly sections: ReadonlyMap<string, Uint8Array>;
}

export const emptyRecord: EntityRecord = { sections: new Map() };

export function sectionId(view: string, viewVersion: number): string {
  return `${view}\0${viewVersion}`;
}

const writer = new ByteWriter();

/** The bytes of a record; `nonce` has 8 random bytes. */
export function encodeRecord(record: EntityRecord, nonce: Uint8Array): Buffer {
  writer.clear();
  writer.byte(recordFormat);
  writer.raw(nonce);
  writer.uint32(0);
  writer.byte(record.erasure === undefined ? 0 : erasureFlag);
  if (record.erasure !== undefined) writeVersion(writer, record.erasure);
  for (const id of [...record.sections.keys()].sort()) {
    const body = record.sections.get(id) as Uint8Array;
    writer.text(id);
    writer.varint(body.length);
    writer.raw(body);
  }
  const bytes = writer.copy();
  bytes.writeUInt32LE(crc32(bytes.subarray(bodyOffset)), crcOffset);
  return bytes;
}

/** @throws TributaryError CORRUPT */
export function decodeRecord(bytes: Buffer): EntityRecord {
  const { reader, erasure } = openRecord(bytes);
  const sections = new Map<string, Uint8Array>();
  while (!reader.done) {
    const id = reader.text();
    sections.set(id, reader.raw(reader.varint()));
  }
  return erasure === undefined ? { sections } : { erasure, sections };
}

/**
 * Checks a record's frame and stands before its first section.
 * @throws TributaryError CORRUPT
 */
export function openRecord(bytes: Buffer): { readonly reader: ByteReader; readonly erasure: Version | undefined } {
  if (bytes.length <= bodyOffset) throw corrupt("it ends too early");
  if (bytes[0] !== recordFormat) throw corrupt(`format ${bytes[0]} is not known`);
  if (bytes.readUInt32LE(crcOffset) !== crc32(bytes.subarray(bodyOffset))) throw corrupt("its checksum is wrong");
  const reader = new ByteReader(bytes, bodyOffset, bytes.length);
  const flags = reader.byte();
  if (flags > erasureFlag) throw corrupt(`unknown flags ${flags}`);
  return { reader, erasure: flags === erasureFlag ? readVersion(reader) : undefined };
}

export function nonceOf(bytes: Buffer): Buffer {
  return bytes.subarray(nonceOffset, nonceOffset + nonceBytes);
}
