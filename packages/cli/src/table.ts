import { stripVTControlCharacters } from "node:util";

/** Columns aligned by spaces; the last one is left ragged. */
export function alignColumns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, shownLength(cell));
  }
  const pad = (cell: string, i: number) => cell + " ".repeat((widths[i] ?? 0) - shownLength(cell));
  return rows.map((row) => row.map(pad).join("  ").trimEnd()).join("\n");
}

/** Colours take no room. */
function shownLength(cell: string): number {
  return stripVTControlCharacters(cell).length;
}

/** 950 → `950 ms`, 65 000 → `1 m 5 s`. */
export function formatMs(ms: number): string {
  if (Math.abs(ms) < 1_000) return `${Math.round(ms)} ms`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} m ${seconds % 60} s`;
  return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} m`;
}
