import { type FeatureValue, type Tombstone, tombstone } from "../contracts/chunk.ts";
import { type ByteReader, corrupt } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";

/**
 * A value as bytes: a tag, then its payload. Equal values have equal bytes on every instance (numbers take the shortest of
 * integer, float32 and float64 that holds them exactly; map keys are sorted), because the merge compares bytes in a tie.
 * The tombstone has the greatest tag, so that it wins a tie by the same comparison (V1).
 */
const tag = {
  null: 0,
  false: 1,
  true: 2,
  /** varint n */
  integer: 3,
  /** varint −1 − n */
  negative: 4,
  float32: 5,
  float64: 6,
  int64: 7,
  /** varint length, UTF-8 */
  text: 8,
  /** varint length, bytes */
  bytes: 9,
  /** varint count, values */
  list: 10,
  /** varint count, pairs of text and value, sorted by text */
  map: 11,
  tombstone: 255,
} as const;

const depthMax = 16;

export function writeValue(writer: ByteWriter, value: FeatureValue | Tombstone): void {
  if (typeof value === "number") writeNumber(writer, value);
  else if (typeof value === "string") writeText(writer, value);
  else if (typeof value === "boolean") writer.byte(value ? tag.true : tag.false);
  else if (typeof value === "bigint") writeBigint(writer, value);
  else if (typeof value === "symbol") writer.byte(tag.tombstone);
  else if (value === null) writer.byte(tag.null);
  else if (value instanceof Uint8Array) writeBytes(writer, value);
  else if (isList(value)) writeList(writer, value);
  else writeMap(writer, value);
}

function writeNumber(writer: ByteWriter, value: number): void {
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
    writer.byte(value < 0 ? tag.negative : tag.integer);
    writer.varint(value < 0 ? -1 - value : value);
  } else if (Math.fround(value) === value) {
    writer.byte(tag.float32);
    writer.float32(value);
  } else {
    writer.byte(tag.float64);
    writer.float64(value);
  }
}

function writeText(writer: ByteWriter, value: string): void {
  writer.byte(tag.text);
  writer.text(value);
}

function writeBigint(writer: ByteWriter, value: bigint): void {
  if (Number.isSafeInteger(Number(value))) {
    writeNumber(writer, Number(value));
    return;
  }
  writer.byte(tag.int64);
  writer.int64(value);
}

function writeBytes(writer: ByteWriter, value: Uint8Array): void {
  writer.byte(tag.bytes);
  writer.varint(value.length);
  writer.raw(value);
}

function writeList(writer: ByteWriter, value: readonly FeatureValue[]): void {
  writer.byte(tag.list);
  writer.varint(value.length);
  for (const item of value) writeValue(writer, item);
}

function writeMap(writer: ByteWriter, value: { readonly [key: string]: FeatureValue }): void {
  const keys = Object.keys(value).sort();
  writer.byte(tag.map);
  writer.varint(keys.length);
  for (const key of keys) {
    writer.text(key);
    writeValue(writer, value[key] ?? null);
  }
}

function isList(value: object): value is readonly FeatureValue[] {
  return Array.isArray(value);
}

/** @throws TributaryError CORRUPT */
export function readValue(reader: ByteReader, depth = 0): FeatureValue | Tombstone {
  const kind = reader.byte();
  switch (kind) {
    case tag.integer:
      return reader.varint();
    case tag.negative:
      return -1 - reader.varint();
    case tag.float32:
      return reader.float32();
    case tag.float64:
      return reader.float64();
    case tag.null:
      return null;
    case tag.true:
      return true;
    case tag.false:
      return false;
    case tag.text:
      return reader.text();
    case tag.int64:
      return reader.int64();
    case tag.bytes:
      return reader.bytesView(reader.varint());
    case tag.list:
      return readList(reader, depth + 1);
    case tag.map:
      return readMap(reader, depth + 1);
    case tag.tombstone:
      return tombstone;
    default:
      throw corrupt(`unknown value tag ${kind}`);
  }
}

/**
 * Puts a number at its place, so that none becomes an object on its way; false, and nothing read, where the value is something
 * else.
 * @throws TributaryError CORRUPT
 */
export function readNumber(reader: ByteReader, into: Float64Array, at: number): boolean {
  switch (reader.next) {
    case tag.integer:
      reader.position += 1;
      into[at] = reader.varint();
      return true;
    case tag.float64:
      reader.position += 1;
      into[at] = reader.float64();
      return true;
    case tag.float32:
      reader.position += 1;
      into[at] = reader.float32();
      return true;
    case tag.negative:
      reader.position += 1;
      into[at] = -1 - reader.varint();
      return true;
    default:
      return false;
  }
}

function readList(reader: ByteReader, depth: number): FeatureValue {
  const count = boundedCount(reader, depth);
  const items: FeatureValue[] = [];
  for (let i = 0; i < count; i++) items.push(readInner(reader, depth));
  return items;
}

function readMap(reader: ByteReader, depth: number): FeatureValue {
  const count = boundedCount(reader, depth);
  const entries: [string, FeatureValue][] = [];
  for (let i = 0; i < count; i++) entries.push([reader.text(), readInner(reader, depth)]);
  return Object.fromEntries(entries);
}

function readInner(reader: ByteReader, depth: number): FeatureValue {
  const value = readValue(reader, depth);
  if (value === tombstone) throw corrupt("a tombstone inside a value");
  return value;
}

/** Every item takes a byte at least, so a count beyond the bytes left is a lie. */
function boundedCount(reader: ByteReader, depth: number): number {
  if (depth > depthMax) throw corrupt(`values nest deeper than ${depthMax}`);
  const count = reader.varint();
  if (count > reader.end - reader.position) throw corrupt("a count exceeds the bytes");
  return count;
}

export function skipValue(reader: ByteReader): void {
  const kind = reader.byte();
  switch (kind) {
    case tag.integer:
    case tag.negative:
      reader.varint();
      break;
    case tag.float32:
      reader.skip(4);
      break;
    case tag.float64:
    case tag.int64:
      reader.skip(8);
      break;
    case tag.text:
    case tag.bytes:
      reader.skip(reader.varint());
      break;
    case tag.list:
    case tag.map:
      reader.position -= 1;
      readValue(reader);
      break;
    default:
      if (kind > tag.true && kind !== tag.tombstone) throw corrupt(`unknown value tag ${kind}`);
  }
}
