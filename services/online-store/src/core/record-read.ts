import type { FeatureValue, Tombstone } from "@tributary/shared/contracts/chunk";
import { ByteReader, corrupt } from "@tributary/shared/merge/byte-reader";
import { readValue, skipValue } from "@tributary/shared/merge/cell-value";
import type { CurrentCell } from "@tributary/shared/merge/read-view";
import { decodeRecord, encodeRecord, nonceBytes, openRecord } from "./record.ts";
import { bitmapBytes, groupFlags, isInBitmap, readGroupFlags, readInstants, readVersion } from "./section.ts";
import { type Shape, type ShapeLookup, sectionId, UnknownShape } from "./shape.ts";

/**
 * The read path's way into a record: decodes only the wanted features of the wanted sections, each as it is at one instant
 * (of a schedule only the step valid then), and skips the rest by its length. What is wanted of a shape is worked out when
 * the first record names it.
 */
export interface RecordPlan {
  /** Section id → feature → place in the cells of this record. */
  readonly sections: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** Shape id → place of each of its features, or `notWanted`; null where nothing of it is wanted. */
  readonly places: Map<number, Int32Array | null>;
}

export interface SectionPlan {
  readonly view: string;
  readonly viewVersion: number;
  readonly places: ReadonlyMap<string, number>;
}

const notWanted = -1;

export function planRecord(sections: readonly SectionPlan[]): RecordPlan {
  const bySection = sections.map(({ view, viewVersion, places }) => [sectionId(view, viewVersion), places] as const);
  return { sections: new Map(bySection), places: new Map() };
}

/** What all records of one read have in common. */
export interface RecordReading {
  readonly plan: RecordPlan;
  readonly shapes: ShapeLookup;
  readonly nowMs: number;
}

/**
 * The wanted cells of a record by place, as they are at `nowMs`; undefined where the record has none.
 * @throws TributaryError CORRUPT; UnknownShape
 */
export function readRecord(bytes: Buffer, reading: RecordReading): (CurrentCell | undefined)[] {
  const { reader, format } = openRecord(bytes);
  if (format === 1) return readRecord(encodeRecord(decodeRecord(bytes, reading.shapes), noNonce), reading);
  const cells: (CurrentCell | undefined)[] = [];
  while (!reader.done) {
    const places = placesOf(reader.uint48(), reading);
    const size = reader.varint();
    const start = reader.position;
    reader.skip(size);
    if (places !== null)
      readWanted(new ByteReader(bytes, start, start + size), { places, nowMs: reading.nowMs, cells });
  }
  return cells;
}

const noNonce = Buffer.alloc(nonceBytes);

function placesOf(id: number, { plan, shapes }: RecordReading): Int32Array | null {
  const known = plan.places.get(id);
  if (known !== undefined) return known;
  const shape = shapes.find(id);
  if (shape === undefined) throw new UnknownShape(id);
  const places = wantedPlaces(shape, plan);
  plan.places.set(id, places);
  return places;
}

function wantedPlaces({ section, features }: Shape, { sections }: RecordPlan): Int32Array | null {
  const wanted = sections.get(section);
  return wanted === undefined ? null : Int32Array.from(features, (feature) => wanted.get(feature) ?? notWanted);
}

interface Target {
  readonly places: Int32Array;
  readonly nowMs: number;
  readonly cells: (CurrentCell | undefined)[];
}

function readWanted(reader: ByteReader, target: Target): void {
  while (!reader.done) readGroup(reader, target);
}

function readGroup(reader: ByteReader, { places, nowMs, cells }: Target): void {
  const flags = readGroupFlags(reader);
  const isScheduled = (flags & groupFlags.scheduled) !== 0;
  const { eventTime } = readVersion(reader);
  const untilMs = isScheduled ? eventTime + reader.signedVarint() : null;
  const instants = isScheduled ? readInstants(reader, eventTime) : [];
  const bitmap = (flags & groupFlags.whole) === 0 ? reader.raw(bitmapBytes(places.length)) : undefined;
  for (let i = 0; i < places.length; i++) {
    if (bitmap !== undefined && !isInBitmap(bitmap, i)) continue;
    const place = places[i] as number;
    if (place === notWanted) {
      skipValue(reader);
      if (isScheduled) skipChanges(reader);
      continue;
    }
    const value = readValue(reader);
    cells[place] = { value: isScheduled ? valueAt(reader, instants, { value, nowMs }) : value, eventTime, untilMs };
  }
}

/** The value of the last change that is due at `nowMs`, else the row's own. */
function valueAt(
  reader: ByteReader,
  instants: readonly number[],
  start: { readonly value: FeatureValue | Tombstone; readonly nowMs: number },
): FeatureValue | Tombstone {
  let { value } = start;
  const count = reader.varint();
  for (let i = 0; i < count; i++) {
    const atMs = instants[reader.varint()];
    if (atMs === undefined) throw corrupt("a change names no instant");
    if (atMs <= start.nowMs) value = readValue(reader);
    else skipValue(reader);
  }
  return value;
}

function skipChanges(reader: ByteReader): void {
  const count = reader.varint();
  for (let i = 0; i < count; i++) {
    reader.varint();
    skipValue(reader);
  }
}
