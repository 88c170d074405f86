import type { RecordState } from "@tributary/shared/contracts/erasure";
import { compareVersions, type Version } from "@tributary/shared/contracts/version";
import { readCells } from "./cell-merge.ts";
import type { EntityRecord } from "./record.ts";

/** What is left of an erased key in one record: looked for cell by cell, whatever the record says of itself. */
export function stateOfRecord(record: EntityRecord | undefined, erasure: Version): RecordState {
  if (record === undefined) return "absent";
  const cells = [...record.sections.values()].flatMap((section) => readCells(section));
  if (cells.length === 0) return "erased";
  return cells.some((cell) => compareVersions(cell.version, erasure) <= 0) ? "residual" : "rewritten";
}
