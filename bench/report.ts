import type { Summary } from "./samples.ts";

/** One measured case; a line of JSON, or of the table. */
export interface Case {
  readonly bench: string;
  readonly case: string;
  readonly unit: "ms" | "per second";
  readonly summary: Summary;
  /** The least that the machine could do in the same run, and how often its median goes into this one's. */
  readonly floor?: { readonly case: string; readonly ratio: number };
  /** What else the bench counted. */
  readonly counts?: Readonly<Record<string, number>>;
}

/** The case over its floor: ratios of one run can be compared across machines, milliseconds cannot. */
export function overFloor(measured: Case, floor: Case): Case {
  return { ...measured, floor: { case: floor.case, ratio: round(measured.summary.p50 / floor.summary.p50) } };
}

export interface Reporter {
  tell(one: Case): void;
  end(): void;
}

export function jsonReporter(write: (text: string) => void): Reporter {
  return {
    tell: (one) => write(`${JSON.stringify({ ...one, summary: rounded(one.summary) })}\n`),
    end: () => {},
  };
}

export function tableReporter(write: (text: string) => void): Reporter {
  const rows: string[][] = [["case", "n", "p50", "p95", "p99", "max", "unit", "over its floor"]];
  const number = (value: number) => String(round(value));
  return {
    tell: ({ case: name, unit, summary, floor, counts = {} }) => {
      const { n, p50, p95, p99, max } = summary;
      const over = floor === undefined ? "" : `${floor.ratio} × ${floor.case}`;
      const others = Object.entries(counts).map(([what, count]) => `${what} ${count}`);
      rows.push([name, number(n), number(p50), number(p95), number(p99), number(max), unit, over, ...others]);
    },
    end: () => write(`${aligned(rows)}\n`),
  };
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function rounded(summary: Summary): Summary {
  const entries = Object.entries(summary).map(([name, value]) => [name, round(value)]);
  return Object.fromEntries(entries) as unknown as Summary;
}

/** Three digits are more than a repetition would confirm. */
function round(value: number): number {
  return Number(value.toPrecision(value >= 1_000 ? 4 : 3));
}
