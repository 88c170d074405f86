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
 * Puts the wanted cells of records, as they are at `nowMs`, into the columns: those of the records that `wanted` names, each at its
 * place in `wanted`; what is not stored is left out.
 * @throws TributaryError CORRUPT; UnknownShape
 */
export function readRecords(
  records: readonly (Buffer | null)[],
  wanted: readonly number[],
  reading: RecordReading,
): CellColumns {
  const cells = new CellReader(reading);
  for (let number = 0; number < wanted.length; number++) {
    const bytes = records[wanted[number] as number] ?? null;
    if (bytes !== null) cells.read(bytes, number);
  }
  return reading.into;
}

const noNonce = Buffer.alloc(nonceBytes);

/** Of a record of the first format nobody has written them down yet. */
function shapesOf({ sections }: EntityRecord): ShapeLookup {
  const shapes = new Map([...sections.values()].map(({ shape }) => [shape.id, shape]));
  return { find: (id) => shapes.get(id) };
}

function wantedPlaces(shape: Shape | undefined, id: number, { sections }: RecordPlan): Int32Array | null {
  if (shape === undefined) throw new UnknownShape(id);
  const wanted = sections.get(shape.section);
  return wanted === undefined ? null : Int32Array.from(shape.features, (feature) => wanted.get(feature) ?? notWanted);
}

/** Its state instead of arguments, of which every one that is an object costs as much as decoding some cells. */
class CellReader {
  readonly #reading: RecordReading;
  /** Of the record in the columns. */
  #index = 0;

  constructor(reading: RecordReading) {
    this.#reading = reading;
  }

  read(bytes: Buffer, index: number): void {
    const { reader, format } = openRecord(bytes);
    if (format === 1) {
      const record = decodeRecord(bytes, this.#reading.shapes);
      const upgraded = new CellReader({ ...this.#reading, shapes: shapesOf(record) });
      upgraded.read(encodeRecord(record, noNonce), index);
      return;
    }
    this.#index = index;
    for (let section = 0; !reader.done; section++) {
      const places = this.#placesOf(reader, section);
      const size = reader.varint();
      if (places === null) reader.skip(size);
      else this.#readSection(reader, size, places);
    }
  }

  #placesOf(reader: ByteReader, section: number): Int32Array | null {
    const { plan, shapes } = this.#reading;
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

  #readSection(reader: ByteReader, size: number, places: Int32Array): void {
    const end = reader.narrow(size);
    while (!reader.done) this.#readGroup(reader, places);
    reader.end = end;
  }

  #readGroup(reader: ByteReader, places: Int32Array): void {
    const flags = readGroupFlags(reader);
    const eventTime = reader.signedVarint();
    skipStamp(reader);
    if (flags === groupFlags.whole) this.#readPlainCells(reader, places, eventTime);
    else this.#readOtherCells(reader, places, { flags, eventTime });
  }

  /** Of a view written whole and without a schedule: most of what is read, and the inmost loop. */
  #readPlainCells(reader: ByteReader, places: Int32Array, eventTime: number): void {
    const { into } = this.#reading;
    const { records, numbers, eventTimes } = into;
    const index = this.#index;
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

  #readOtherCells(reader: ByteReader, places: Int32Array, { flags, eventTime }: GroupHead): void {
    const { into, nowMs } = this.#reading;
    const schedule = (flags & groupFlags.scheduled) === 0 ? undefined : readSchedule(reader, eventTime, nowMs);
    const bitmap = (flags & groupFlags.whole) === 0 ? reader.raw(bitmapBytes(places.length)) : undefined;
    for (let i = 0; i < places.length; i++) {
      if (bitmap !== undefined && !isInBitmap(bitmap, i)) continue;
      const place = places[i] as number;
      if (place === notWanted) skipCell(reader, schedule);
      else {
        const at = place * into.records + this.#index;
        into.put(at, readCell(reader, schedule), eventTime);
        if (schedule !== undefined) into.putUntil(at, schedule.untilMs);
      }
    }
  }
}

interface GroupHead {
  readonly flags: number;
  readonly eventTime: number;
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
