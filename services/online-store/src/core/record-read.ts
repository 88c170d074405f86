import type { FeatureValue, Tombstone } from "@tributary/shared/contracts/chunk";
import { ByteReader, corrupt } from "@tributary/shared/merge/byte-reader";
import { readValue, skipValue } from "@tributary/shared/merge/cell-value";
import type { CurrentCell } from "@tributary/shared/merge/read-view";
import { openRecord, sectionId } from "./record.ts";
import { readGroupFlags, readInstants, readVersion } from "./section.ts";

/**
 * The read path's way into a record: decodes only the wanted features of the wanted sections, each as it is at one instant
 * (of a schedule only the step valid then), and skips the rest by its length. Records of one view share their
 * dictionary nearly always, so it is looked up once and then recognised by its bytes.
 */
export interface SectionPlan {
  readonly id: Buffer;
  /** Feature → place in the cells of this record. */
  readonly places: ReadonlyMap<string, number>;
  dictionary: { readonly bytes: Buffer; readonly places: readonly number[] };
}

const noDictionary = { bytes: Buffer.alloc(0), places: [] };
const notWanted = -1;

export function planSection(view: string, viewVersion: number, places: ReadonlyMap<string, number>): SectionPlan {
  return { id: Buffer.from(sectionId(view, viewVersion)), places, dictionary: noDictionary };
}

/**
 * The wanted cells of a record by place, as they are at `nowMs`; undefined where the record has none.
 * @throws TributaryError CORRUPT
 */
export function readRecord(bytes: Buffer, plans: readonly SectionPlan[], nowMs: number): (CurrentCell | undefined)[] {
  const cells: (CurrentCell | undefined)[] = [];
  const { reader } = openRecord(bytes);
  while (!reader.done) {
    const idBytes = reader.varint();
    const idStart = reader.position;
    reader.skip(idBytes);
    const plan = findPlan(plans, bytes, idStart, reader.position);
    const bodyBytes = reader.varint();
    const bodyStart = reader.position;
    reader.skip(bodyBytes);
    if (plan) readWanted(new ByteReader(bytes, bodyStart, bodyStart + bodyBytes), { plan, nowMs, cells });
  }
  return cells;
}

function findPlan(plans: readonly SectionPlan[], bytes: Buffer, start: number, end: number): SectionPlan | undefined {
  for (const plan of plans) {
    if (plan.id.length === end - start && equals(bytes, start, plan.id)) return plan;
  }
  return undefined;
}

function equals(bytes: Buffer, start: number, expected: Buffer): boolean {
  for (let i = 0; i < expected.length; i++) if (bytes[start + i] !== expected[i]) return false;
  return true;
}

interface Target {
  readonly plan: SectionPlan;
  readonly nowMs: number;
  readonly cells: (CurrentCell | undefined)[];
}

function readWanted(reader: ByteReader, target: Target): void {
  const places = placesOf(reader, target.plan);
  while (!reader.done) readGroup(reader, places, target);
}

function placesOf(reader: ByteReader, plan: SectionPlan): readonly number[] {
  const size = reader.varint();
  const start = reader.position;
  reader.skip(size);
  const known = plan.dictionary;
  if (known.bytes.length === size && equals(reader.bytes, start, known.bytes)) return known.places;
  const bytes = Buffer.from(reader.bytes.subarray(start, start + size));
  plan.dictionary = { bytes, places: lookUp(bytes, plan.places) };
  return plan.dictionary.places;
}

function lookUp(dictionary: Buffer, wanted: ReadonlyMap<string, number>): number[] {
  const reader = new ByteReader(dictionary, 0, dictionary.length);
  const places: number[] = [];
  while (!reader.done) places.push(wanted.get(reader.text()) ?? notWanted);
  return places;
}

function readGroup(reader: ByteReader, places: readonly number[], { nowMs, cells }: Target): void {
  const scheduled = readGroupFlags(reader);
  const { eventTime } = readVersion(reader);
  const untilMs = scheduled ? eventTime + reader.signedVarint() : null;
  const instants = scheduled ? readInstants(reader, eventTime) : [];
  const count = reader.varint();
  for (let i = 0; i < count; i++) {
    const place = places[reader.varint()];
    if (place === undefined) throw corrupt("a cell names no feature");
    if (place === notWanted) {
      skipValue(reader);
      if (scheduled) skipChanges(reader);
      continue;
    }
    const value = readValue(reader);
    cells[place] = { value: scheduled ? valueAt(reader, instants, { value, nowMs }) : value, eventTime, untilMs };
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
