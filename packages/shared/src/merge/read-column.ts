import type { Lane } from "../contracts/catalog.ts";
import type { ReadColumn } from "../contracts/read.ts";
import { lookThrough } from "./layers.ts";
import { type ReadRules, viewColumn, viewValues } from "./read-view.ts";
import type { StoredColumn } from "./stored-column.ts";

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
  /** What is stored for a planned cell. */
  readonly stored: (cell: C) => StoredColumn;
}

/** One column of the reply. */
export function buildColumn<C extends ColumnCell>(column: Column<C>, input: ColumnInput<C>): ReadColumn {
  const { nowMs, detail, stored } = input;
  if (column.over.length > 0) return buildLayeredColumn(column, input);
  if (!detail) return { name: column.name, values: viewValues(column, stored(column), nowMs) };
  return { name: column.name, ...viewColumn(column, stored(column), nowMs), lane: column.lane, view: column.view };
}

/** As any column, and with `detail` also which lane and view each row's value comes from. */
function buildLayeredColumn<C extends ColumnCell>(
  column: Column<C>,
  { nowMs, detail, stored }: ColumnInput<C>,
): ReadColumn {
  const layers = [...column.over, column as C].map((layer) => ({
    layer,
    viewed: viewColumn(layer, stored(layer), nowMs),
  }));
  const { viewed, chosen } = lookThrough(layers);
  if (!detail) return { name: column.name, values: viewed.values };
  return {
    name: column.name,
    ...viewed,
    lane: column.lane,
    view: column.view,
    lanes: chosen.map((layer): Lane => layer.lane),
    views: chosen.map((layer) => layer.view),
  };
}
