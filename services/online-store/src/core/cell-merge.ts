import { compareVersions } from "@tributary/shared/contracts/version";
import { ByteReader } from "@tributary/shared/merge/byte-reader";
import { ByteWriter } from "@tributary/shared/merge/byte-writer";
import type { Cell } from "@tributary/shared/merge/cell";
import { mergeCells } from "@tributary/shared/merge/merge-cells";
import { type EntityRecord, emptyRecord, type StoredSection } from "./record.ts";
import { newestVersion, readSection, wholeVersion, writeSection, writeWholeSection } from "./section.ts";
import { type Shape, widenShape } from "./shape.ts";

/**
 * The merge rule (V1): for every cell the greatest version wins, whoever brings it, in whatever order, however often.
 * It reads no clock and no other view. Cells that a write does not carry stay as they are.
 */
export interface SectionWrite {
  /** Of the view as the writer's catalog has it; names every feature of the cells. */
  readonly shape: Shape;
  readonly cells: readonly Cell[];
}

/**
 * The record after the writes; undefined when they change nothing, so that a redelivery writes nothing.
 * @throws TributaryError CORRUPT when a touched section cannot be read
 */
export function mergeRecord(
  current: EntityRecord | undefined,
  writes: readonly SectionWrite[],
): EntityRecord | undefined {
  const record = current ?? emptyRecord;
  const changed = new Map<string, StoredSection>();
  for (const { shape, cells } of joinSections(record, writes)) {
    const stored = record.sections.get(shape.section);
    const merged = replaceWhole(stored, shape, cells) ?? mergeInto(stored, shape, cells);
    if (merged !== undefined) changed.set(shape.section, merged);
  }
  if (changed.size === 0) return undefined;
  const sections = new Map(record.sections);
  for (const [section, cells] of changed) sections.set(section, cells);
  return { ...record, sections };
}

/**
 * A view written whole, newer than all that is stored of it: nothing of that has to be looked at. Most writes are so. Undefined
 * where it is otherwise.
 */
function replaceWhole(
  stored: StoredSection | undefined,
  shape: Shape,
  cells: readonly Cell[],
): StoredSection | undefined {
  const version = wholeVersion(shape, cells);
  if (version === undefined) return undefined;
  if (stored !== undefined) {
    if (stored.shape.id !== shape.id || stored.body.length === 0) return undefined;
    if (compareVersions(version, newestVersion(readerOf(stored))) <= 0) return undefined;
  }
  writer.clear();
  writeWholeSection(writer, version, cells);
  return { shape: stored?.shape ?? shape, body: writer.copy() };
}

function mergeInto(stored: StoredSection | undefined, shape: Shape, cells: readonly Cell[]): StoredSection | undefined {
  const merged = mergeCells(readCells(stored), cells);
  return merged && encodeCells(stored?.shape ?? shape, shape, merged);
}

/** One write a section, without what an erasure covers. */
function joinSections(record: EntityRecord, writes: readonly SectionWrite[]): Iterable<SectionWrite> {
  if (writes.length === 1 && record.erasure === undefined) return writes;
  const bySection = new Map<string, { shape: Shape; readonly cells: Cell[] }>();
  for (const { shape, cells } of writes) {
    const live = cells.filter((cell) => !isErased(record, cell));
    const already = bySection.get(shape.section);
    if (already === undefined) bySection.set(shape.section, { shape, cells: live });
    else {
      already.shape = widenShape(already.shape, shape.features);
      already.cells.push(...live);
    }
  }
  return bySection.values();
}

function isErased({ erasure }: EntityRecord, cell: Cell): boolean {
  return erasure !== undefined && compareVersions(cell.version, erasure) <= 0;
}

export function readCells(stored: StoredSection | undefined): Cell[] {
  if (stored === undefined) return [];
  return readSection(readerOf(stored), stored.shape);
}

function readerOf({ body }: StoredSection): ByteReader {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return new ByteReader(bytes, 0, bytes.length);
}

const writer = new ByteWriter();

/** Cells as a section, of the stored shape where it names what is written too. */
export function encodeCells(known: Shape, written: Shape, cells: readonly Cell[]): StoredSection {
  const shape = known.id === written.id ? known : widenShape(written, known.features);
  writer.clear();
  writeSection(writer, shape, cells);
  return { shape, body: writer.copy() };
}
