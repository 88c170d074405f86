import type { Lane } from "@tributary/shared/contracts/catalog";
import type { ReadColumn } from "@tributary/shared/contracts/read";
import { lookThrough } from "./layers.ts";
import type { PlannedCell, PlannedColumn } from "./read-plan.ts";
import { type ViewedCell, viewCell } from "./read-view.ts";
import type { CurrentCell } from "./record-read.ts";

export interface ColumnInput {
  readonly nowMs: number;
  readonly detail: boolean;
  /** What is stored for a planned cell, one entry a row. */
  readonly stored: (cell: PlannedCell) => StoredCells;
}

export interface StoredCells {
  /** One entry a row. */
  readonly cells: readonly (CurrentCell | undefined)[];
  /** One entry a row: epoch ms up to which the cell's view and partition are confirmed. */
  readonly confirmedAtMs: readonly (number | undefined)[];
}

/** One column of the reply. */
export function buildColumn(column: PlannedColumn, input: ColumnInput): ReadColumn {
  if (column.over.length > 0) return buildLayeredColumn(column, input);
  return { name: column.name, ...answer(viewCells(column, input), input.detail), ...source(column, input.detail) };
}

/** As any column, and with `detail` also which lane and view each row's value comes from. */
function buildLayeredColumn(column: PlannedColumn, input: ColumnInput): ReadColumn {
  const layers = [...column.over, column].map((layer) => ({ layer, viewed: viewCells(layer, input) }));
  const rows = lookThrough(layers);
  const origins = input.detail && {
    lanes: rows.map(({ layer }): Lane => layer.lane),
    views: rows.map(({ layer }) => layer.view),
  };
  const viewed = rows.map((row) => row.viewed);
  return { name: column.name, ...answer(viewed, input.detail), ...source(column, input.detail), ...origins };
}

function viewCells(cell: PlannedCell, { nowMs, stored }: ColumnInput): ViewedCell[] {
  const { cells, confirmedAtMs } = stored(cell);
  return cells.map((current, row) => viewCell(cell, current, { nowMs, confirmedAtMs: confirmedAtMs[row] }));
}

function answer(viewed: readonly ViewedCell[], detail: boolean): Omit<ReadColumn, "name"> {
  const values = viewed.map((cell) => cell.value);
  if (!detail) return { values };
  return {
    values,
    statuses: viewed.map((cell) => cell.status),
    eventTimes: viewed.map((cell) => cell.eventTime),
    agesMs: viewed.map((cell) => cell.ageMs),
    fresh: viewed.map((cell) => cell.fresh),
  };
}

function source({ lane, view }: PlannedCell, detail: boolean): Pick<ReadColumn, "lane" | "view"> {
  return detail ? { lane, view } : {};
}
