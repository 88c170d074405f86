/** One value of a detailed read, as far as it is shown. */
export interface ShownCell {
  readonly value: unknown;
  readonly lane: string | null;
  readonly ageMs: number | null;
  readonly fresh: boolean;
}

const columnWidth = 18;

/** A row a feature, a column a key: the value, its age, and `!` where it is not fresh. */
export function readTable(
  keys: readonly string[],
  features: readonly string[],
  rows: readonly Readonly<Record<string, ShownCell>>[],
): string[] {
  const head = `  ${"feature".padEnd(16)}${"lane".padEnd(8)}${keys.map((key) => key.padStart(columnWidth)).join("")}`;
  const lines = features.map((feature) => {
    const cells = rows.map((row) => row[feature]);
    const lane = cells.find((cell) => cell?.lane)?.lane ?? "";
    return `  ${feature.padEnd(16)}${lane.padEnd(8)}${cells.map((cell) => cellText(cell).padStart(columnWidth)).join("")}`;
  });
  return [head, ...lines];
}

function cellText(cell: ShownCell | undefined): string {
  if (cell === undefined || cell.ageMs === null) return "–";
  return `${valueText(cell.value)}${cell.fresh ? "" : " !"}${ageText(cell.ageMs).padStart(8)}`;
}

function valueText(value: unknown): string {
  if (typeof value === "number") return Number.isInteger(value) ? String(value) : value.toFixed(2);
  return value === null || value === undefined ? "null" : String(value);
}

/** `16 s`, `3 min`, `2.5 h`. */
export function ageText(ms: number): string {
  if (ms < 60_000) return `${Math.round(ms / 1000)} s`;
  return ms < 3_600_000 ? `${Math.round(ms / 60_000)} min` : `${(ms / 3_600_000).toFixed(1)} h`;
}
