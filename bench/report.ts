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

/** A measured case with names of its own; numbers say their unit. */
export interface Measures {
  readonly bench: string;
  readonly case: string;
  readonly [name: string]: string | number;
}

export type Result = Case | Measures;

/** The case over its floor: ratios of one run can be compared across machines, milliseconds cannot. */
export function overFloor(measured: Case, floor: Case): Case {
  return { ...measured, floor: { case: floor.case, ratio: round(measured.summary.p50 / floor.summary.p50) } };
}

export interface Reporter {
  tell(one: Result): void;
  end(): void;
}

export function jsonReporter(write: (text: string) => void): Reporter {
  return {
    tell: (one) => write(`${JSON.stringify(isCase(one) ? { ...one, summary: rounded(one.summary) } : rounded(one))}\n`),
    end: () => {},
  };
}

export function tableReporter(write: (text: string) => void): Reporter {
  const cases: Case[] = [];
  const measures: Measures[] = [];
  return {
    tell: (one) => void (isCase(one) ? cases.push(one) : measures.push(one)),
    end: () => {
      if (cases.length > 0) write(`${aligned(caseTable(cases))}\n`);
      if (measures.length > 0) write(`${aligned(measuresTable(measures))}\n`);
    },
  };
}

function isCase(one: Result): one is Case {
  return typeof one.summary === "object";
}

function caseTable(cases: readonly Case[]): readonly string[][] {
  const rows = cases.map(({ case: name, unit, summary, floor, counts = {} }) => {
    const { n, p50, p95, p99, max } = summary;
    const over = floor === undefined ? "" : `${floor.ratio} × ${floor.case}`;
    const others = Object.entries(counts).map(([what, count]) => `${what} ${count}`);
    return [name, ...[n, p50, p95, p99, max].map(shown), unit, over, ...others];
  });
  return [["case", "n", "p50", "p95", "p99", "max", "unit", "over its floor"], ...rows];
}

/** A column for each name that any of them has. */
function measuresTable(measures: readonly Measures[]): readonly string[][] {
  const names = [...new Set(measures.flatMap((one) => Object.keys(one)))].filter((name) => name !== "bench");
  return [names, ...measures.map((one) => names.map((name) => shown(one[name] ?? "")))];
}

function shown(value: string | number): string {
  return typeof value === "number" ? String(round(value)) : value;
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

function rounded(values: Summary | Measures): object {
  const short = (value: unknown) => (typeof value === "number" ? round(value) : value);
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, short(value)]));
}

/** Three digits are more than a repetition would confirm. Counts stay whole. */
function round(value: number): number {
  return Number.isSafeInteger(value) ? value : Number(value.toPrecision(value >= 1_000 ? 4 : 3));
}
