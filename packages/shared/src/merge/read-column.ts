import type { Lane } from "../contracts/catalog.ts";
import type { ReadColumn } from "../contracts/read.ts";
import { lookThrough } from "./layers.ts";
import { type CurrentCell, type ReadRules, type ViewedCell, viewCell } from "./read-view.ts";

/** A view's cell in a column: how it is read, and what a detailed reply says of it. */
export interface ColumnCell extends ReadRules {
  readonly view: string;
  readonly lane: Lane;
}

/** A column's own cell, its name, and what stands for the cell while it lives (L1), uppermost first. */
export type Column<C extends ColumnCell> = C & { readonly name: string; readonly over: readonly C[] };

export interface ColumnInput<C extends ColumnCell> {
  readonly nowMs: number;
  readonly detail: boolean;
  /** What is stored for a planned cell, one entry a row. */
  readonly stored: (cell: C) => StoredCells;
}

export interface StoredCells {
  /** One entry a row. */
  readonly cells: readonly (CurrentCell | undefined)[];
  /** One entry a row: epoch ms up to which the cell's view and partition are confirmed. */
  readonly confirmedAtMs: readonly (number | undefined)[];
}

/** One column of the reply. */
export function buildColumn<C extends ColumnCell>(column: Column<C>, input: ColumnInput<C>): ReadColumn {
  if (column.over.length > 0) return buildLayeredColumn(column, input);
  return { name: column.name, ...answer(viewCells(column, input), input.detail), ...source(column, input.detail) };
}

/** As any column, and with `detail` also which lane and view each row's value comes from. */
function buildLayeredColumn<C extends ColumnCell>(column: Column<C>, input: ColumnInput<C>): ReadColumn {
  const layers = [...column.over, column as C].map((layer) => ({ layer, viewed: viewCells(layer, input) }));
  const rows = lookThrough(layers);
  const origins = input.detail && {
    lanes: rows.map(({ layer }): Lane => layer.lane),
    views: rows.map(({ layer }) => layer.view),
  };
  const viewed = rows.map((row) => row.viewed);
  return { name: column.name, ...answer(viewed, input.detail), ...source(column, input.detail), ...origins };
}

function viewCells<C extends ColumnCell>(cell: C, { nowMs, stored }: ColumnInput<C>): ViewedCell[] {
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

function source({ lane, view }: ColumnCell, detail: boolean): Pick<ReadColumn, "lane" | "view"> {
  return detail ? { lane, view } : {};
}
