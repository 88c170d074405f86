import type { ResultLine } from "./campaign.ts";

/** Collects lines of equal fields and prints them as a table. */
export function resultTable(): { readonly add: (line: ResultLine) => void; readonly text: () => string } {
  const lines: ResultLine[] = [];
  return { add: (line) => void lines.push(line), text: () => tableOf(lines) };
}

export function tableOf(lines: readonly ResultLine[]): string {
  const names = Object.keys(lines[0] ?? {});
  const rows = [names, ...lines.map((line) => names.map((name) => String(line[name] ?? "")))];
  const widths = names.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const texts = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  return texts.length > 1 ? `${texts.join("\n")}\n` : "";
}
