import { randomBytes } from "node:crypto";
import type { Records } from "@tributary/online-store/adapters/redis-records";
import { knowingShapes } from "@tributary/online-store/adapters/redis-shapes";
import { readCells } from "@tributary/online-store/core/cell-merge";
import {
  decodeRecord,
  type EntityRecord,
  emptyRecord,
  encodeRecord,
  type StoredSection,
} from "@tributary/online-store/core/record";
import { writeSection } from "@tributary/online-store/core/section";
import type { Version } from "@tributary/shared/contracts/version";
import { ByteWriter } from "@tributary/shared/merge/byte-writer";
import { compareInstants, isCovered } from "./oracle.ts";

/** An erasure as the record's format foresees it: its version stays in the record, the cells up to it go. */
export async function erase(records: Records, key: string, version: Version): Promise<void> {
  for (;;) {
    const [previous = null] = await records.read([key]);
    const current =
      previous === null
        ? emptyRecord
        : await knowingShapes(records.shapes, [key], () => decodeRecord(previous, records.shapes));
    if (current.erasure !== undefined && compareInstants(current.erasure, version) >= 0) return;
    const erased = withoutCovered(current, version);
    const shapes = [...erased.sections.values()].map((stored) => stored.shape);
    const conflicts = await records.replace([{ key, previous, bytes: encodeRecord(erased, randomBytes(8)), shapes }]);
    if (conflicts.length === 0) return;
  }
}

function withoutCovered(record: EntityRecord, erasure: Version): EntityRecord {
  const sections = new Map<string, StoredSection>();
  for (const [id, { shape, body }] of record.sections) {
    const live = readCells({ shape, body }).filter((cell) => !isCovered(cell, erasure));
    if (live.length === 0) continue;
    const writer = new ByteWriter();
    writeSection(writer, shape, live);
    sections.set(id, { shape, body: writer.copy() });
  }
  return { erasure, sections };
}
