import { type Cell, compareCells } from "./cell.ts";

/**
 * The merge rule (V1) for the cells of one view and entity: for every feature the greatest version wins, whoever brings it,
 * in whatever order, however often. It reads no clock; features that come with no cell stay as they are.
 */
/** The winners of both, or undefined when the current cells win everywhere. */
export function mergeCells(current: readonly Cell[], incoming: readonly Cell[]): Cell[] | undefined {
  const winners = new Map(current.map((cell) => [cell.feature, cell]));
  let isChanged = false;
  for (const cell of incoming) {
    const holder = winners.get(cell.feature);
    if (holder !== undefined && compareCells(cell, holder) <= 0) continue;
    winners.set(cell.feature, cell);
    isChanged = true;
  }
  return isChanged ? [...winners.values()] : undefined;
}
