import { compareVersions, type Version } from "@tributary/shared/contracts/version";
import { encodeCells, readCells } from "./cell-merge.ts";
import { type EntityRecord, emptyRecord, type StoredSection } from "./record.ts";

/**
 * The record without what is of the erasure's version or before, whatever its lane; it says so from then on, so that no replay,
 * republish or straggler brings anything back. Undefined when it says so already.
 * @throws TributaryError CORRUPT when a section cannot be read
 */
export function eraseRecord(current: EntityRecord | undefined, erasure: Version): EntityRecord | undefined {
  const record = current ?? emptyRecord;
  if (record.erasure !== undefined && compareVersions(erasure, record.erasure) <= 0) return undefined;
  const sections = new Map<string, StoredSection>();
  for (const [id, section] of record.sections) {
    const kept = keptOf(section, erasure);
    if (kept !== undefined) sections.set(id, kept);
  }
  return { erasure, sections };
}

/** Undefined when nothing is left. */
function keptOf(section: StoredSection, erasure: Version): StoredSection | undefined {
  const cells = readCells(section);
  const kept = cells.filter((cell) => compareVersions(cell.version, erasure) > 0);
  if (kept.length === 0) return undefined;
  return kept.length === cells.length ? section : encodeCells(section.shape, section.shape, kept);
}
