import type { ReadColumn } from "@tributary/shared/contracts/read";
import type { PlannedColumn } from "./read-plan.ts";
import { viewCell } from "./read-view.ts";
import type { CurrentCell } from "./record-read.ts";

export interface ColumnInput {
  readonly nowMs: number;
  readonly detail: boolean;
  /** One entry a row. */
  readonly cells: readonly (CurrentCell | undefined)[];
  /** One entry a row: epoch ms up to which the cell's view and partition are confirmed. */
  readonly confirmedAtMs: readonly (number | undefined)[];
}

/** One column of the reply. */
export function buildColumn(column: PlannedColumn, input: ColumnInput): ReadColumn {
  const { nowMs } = input;
  const viewed = input.cells.map((cell, row) =>
    viewCell(column, cell, { nowMs, confirmedAtMs: input.confirmedAtMs[row] }),
  );
  const values = viewed.map((cell) => cell.value);
  if (!input.detail) return { name: column.name, values };
  return {
    name: column.name,
    values,
    statuses: viewed.map((cell) => cell.status),
    eventTimes: viewed.map((cell) => cell.eventTime),
    agesMs: viewed.map((cell) => cell.ageMs),
    fresh: viewed.map((cell) => cell.fresh),
    lane: column.lane,
    view: column.view,
  };
}
