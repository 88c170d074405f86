import type { FeatureValue, Tombstone } from "@tributary/shared/contracts/chunk";
import { type ByteReader, corrupt } from "@tributary/shared/merge/byte-reader";
import { readNumber, readValue, skipValue } from "@tributary/shared/merge/cell-value";
import type { CellColumns } from "./cell-columns.ts";
import { decodeRecord, type EntityRecord, encodeRecord, nonceBytes, openRecord } from "./record.ts";
import { bitmapBytes, groupFlags, isInBitmap, readGroupFlags, readInstants, skipStamp } from "./section.ts";
import { type Shape, type ShapeLookup, sectionId, shapeIdHalf, UnknownShape } from "./shape.ts";

/**
 * The read path's way into a record: decodes only the wanted features of the wanted sections, each as it is at one instant
 * (of a schedule only the step valid then), and skips the rest by its length. What is wanted of a shape is worked out when
 * the first record names it.
 */
export interface RecordPlan {
  /** Section id → feature → place in the columns. */
  readonly sections: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** How many places there are. */
  readonly size: number;
  /** Shape id → what is wanted of it. */
  readonly known: Map<number, WantedShape>;
  /** The shapes of the last record, in order: the next one nearly always names the same. */
  readonly order: WantedShape[];
}

interface WantedShape {
  /** The two halves of the id, each a small integer: comparing them is much cheaper than a look into a map. */
  readonly high: number;
  readonly low: number;
  /** Place of each of the shape's features, or `notWanted`; null where nothing of it is wanted. */
  readonly places: Int32Array | null;
}

export interface SectionPlan {
  readonly view: string;
  readonly viewVersion: number;
  readonly places: ReadonlyMap<string, number>;
}

const notWanted = -1;

export function planRecord(sections: readonly SectionPlan[]): RecordPlan {
  const bySection = sections.map(({ view, viewVersion, places }) => [sectionId(view, viewVersion), places] as const);
  const places = sections.flatMap((section) => [...section.places.values()]);
  return { sections: new Map(bySection), size: Math.max(-1, ...places) + 1, known: new Map(), order: [] };
}

/** What all records of one read have in common. */
export interface RecordReading {
  readonly plan: RecordPlan;
  readonly shapes: ShapeLookup;
  readonly nowMs: number;
  readonly into: CellColumns;
}

/**
 * Puts the wanted cells of one record, as they are at `nowMs`, into the columns at its index.
 * @throws TributaryError CORRUPT; UnknownShape
 */
export function readRecord(bytes: Buffer, index: number, reading: RecordReading): void {
  const { reader, format } = openRecord(bytes);
  if (format === 1) {
    const record = decodeRecord(bytes, reading.shapes);
    readRecord(encodeRecord(record, noNonce), index, { ...reading, shapes: shapesOf(record) });
    return;
  }
  for (let section = 0; !reader.done; section++) {
    const places = placesOf(reader, section, reading);
    const size = reader.varint();
    if (places === null) reader.skip(size);
    else readSection(reader, size, { places, index, reading });
  }
}

/**
 * The same of many: those of `records` that `wanted` names, each at its place in `wanted`; what is not stored is left out.
 * @throws TributaryError CORRUPT; UnknownShape
 */
export function readRecords(
  records: readonly (Buffer | null)[],
  wanted: readonly number[],
  reading: RecordReading,
): CellColumns {
  for (let number = 0; number < wanted.length; number++) {
    const bytes = records[wanted[number] as number] ?? null;
    if (bytes !== null) readRecord(bytes, number, reading);
  }
  return reading.into;
}

const noNonce = Buffer.alloc(nonceBytes);

/** Of a record of the first format nobody has written them down yet. */
function shapesOf({ sections }: EntityRecord): ShapeLookup {
  const shapes = new Map([...sections.values()].map(({ shape }) => [shape.id, shape]));
  return { find: (id) => shapes.get(id) };
}

function placesOf(reader: ByteReader, section: number, { plan, shapes }: RecordReading): Int32Array | null {
  const high = reader.uint24();
  const low = reader.uint24();
  const expected = plan.order[section];
  if (expected !== undefined && expected.low === low && expected.high === high) return expected.places;
  const id = high * shapeIdHalf + low;
  const wanted = plan.known.get(id) ?? { high, low, places: wantedPlaces(shapes.find(id), id, plan) };
  plan.known.set(id, wanted);
  plan.order[section] = wanted;
  return wanted.places;
}

function wantedPlaces(shape: Shape | undefined, id: number, { sections }: RecordPlan): Int32Array | null {
  if (shape === undefined) throw new UnknownShape(id);
  const wanted = sections.get(shape.section);
  return wanted === undefined ? null : Int32Array.from(shape.features, (feature) => wanted.get(feature) ?? notWanted);
}

interface Target {
  readonly places: Int32Array;
  /** Of the record in the columns. */
  readonly index: number;
  readonly reading: RecordReading;
}

function readSection(reader: ByteReader, size: number, target: Target): void {
  const end = reader.narrow(size);
  while (!reader.done) readGroup(reader, target);
  reader.end = end;
}

function readGroup(reader: ByteReader, { places, index, reading }: Target): void {
  const flags = readGroupFlags(reader);
  const eventTime = reader.signedVarint();
  skipStamp(reader);
  if (flags === groupFlags.whole) readPlainCells(reader, { places, index, into: reading.into, eventTime });
  else readOtherCells(reader, { places, index, reading, flags, eventTime });
}

interface PlainCells {
  readonly places: Int32Array;
  readonly index: number;
  readonly into: CellColumns;
  readonly eventTime: number;
}

/** A view written whole and without a schedule: most of what is read, and the inmost loop. */
function readPlainCells(reader: ByteReader, { places, index, into, eventTime }: PlainCells): void {
  const { records, numbers, eventTimes } = into;
  for (let i = 0; i < places.length; i++) {
    const place = places[i] as number;
    if (place === notWanted) skipValue(reader);
    else {
      const at = place * records + index;
      eventTimes[at] = eventTime;
      if (!readNumber(reader, numbers, at)) into.putOther(at, readValue(reader));
    }
  }
}

interface OtherCells extends Target {
  readonly flags: number;
  readonly eventTime: number;
}

function readOtherCells(reader: ByteReader, { places, index, reading, flags, eventTime }: OtherCells): void {
  const schedule = (flags & groupFlags.scheduled) === 0 ? undefined : readSchedule(reader, eventTime, reading.nowMs);
  const bitmap = (flags & groupFlags.whole) === 0 ? reader.raw(bitmapBytes(places.length)) : undefined;
  const { into } = reading;
  for (let i = 0; i < places.length; i++) {
    if (bitmap !== undefined && !isInBitmap(bitmap, i)) continue;
    const place = places[i] as number;
    if (place === notWanted) skipCell(reader, schedule);
    else {
      const at = place * into.records + index;
      into.put(at, readCell(reader, schedule), eventTime);
      if (schedule !== undefined) into.putUntil(at, schedule.untilMs);
    }
  }
}

function readSchedule(reader: ByteReader, eventTime: number, nowMs: number): Schedule {
  return { nowMs, untilMs: eventTime + reader.signedVarint(), instants: readInstants(reader, eventTime) };
}

interface Schedule {
  readonly nowMs: number;
  readonly untilMs: number;
  readonly instants: readonly number[];
}

/** The value of the last change that is due, else the row's own. */
function readCell(reader: ByteReader, schedule: Schedule | undefined): FeatureValue | Tombstone {
  let value = readValue(reader);
  if (schedule === undefined) return value;
  const count = reader.varint();
  for (let i = 0; i < count; i++) {
    const atMs = schedule.instants[reader.varint()];
    if (atMs === undefined) throw corrupt("a change names no instant");
    if (atMs <= schedule.nowMs) value = readValue(reader);
    else skipValue(reader);
  }
  return value;
}

function skipCell(reader: ByteReader, schedule: Schedule | undefined): void {
  skipValue(reader);
  if (schedule === undefined) return;
  const count = reader.varint();
  for (let i = 0; i < count; i++) {
    reader.skipVarint();
    skipValue(reader);
  }
}
