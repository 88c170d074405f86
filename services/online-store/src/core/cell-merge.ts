import { compareVersions } from "@tributary/shared/contracts/version";
import { ByteReader } from "@tributary/shared/merge/byte-reader";
import { ByteWriter } from "@tributary/shared/merge/byte-writer";
import type { Cell } from "@tributary/shared/merge/cell";
import { mergeCells } from "@tributary/shared/merge/merge-cells";
import { type EntityRecord, emptyRecord } from "./record.ts";
import { readSection, writeSection } from "./section.ts";

/**
 * The merge rule (V1): for every cell the greatest version wins, whoever brings it, in whatever order, however often.
 * It reads no clock and no other view. Cells that a write does not carry stay as they are.
 */
export interface SectionWrite {
  /** See `sectionId`. */
  readonly section: string;
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
  const changed = new Map<string, Uint8Array>();
  for (const [section, cells] of cellsBySection(record, writes)) {
    const merged = mergeCells(readCells(record.sections.get(section)), cells);
    if (merged !== undefined) changed.set(section, encodeCells(merged));
  }
  if (changed.size === 0) return undefined;
  return { ...record, sections: new Map([...record.sections, ...changed]) };
}

function cellsBySection(record: EntityRecord, writes: readonly SectionWrite[]): Map<string, Cell[]> {
  const bySection = new Map<string, Cell[]>();
  for (const { section, cells } of writes) {
    const live = cells.filter((cell) => !isErased(record, cell));
    const already = bySection.get(section);
    if (already) already.push(...live);
    else bySection.set(section, live);
  }
  return bySection;
}

function isErased({ erasure }: EntityRecord, cell: Cell): boolean {
  return erasure !== undefined && compareVersions(cell.version, erasure) <= 0;
}

export function readCells(body: Uint8Array | undefined): Cell[] {
  if (body === undefined) return [];
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return readSection(new ByteReader(bytes, 0, bytes.length));
}

const writer = new ByteWriter();

function encodeCells(cells: readonly Cell[]): Uint8Array {
  writer.clear();
  writeSection(writer, cells);
  return writer.copy();
}
