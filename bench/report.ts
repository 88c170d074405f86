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
  /** What was measured beside it in the same run may be a group of its own: `ours: { rps, … }`. */
  readonly [name: string]: Measured | Readonly<Record<string, Measured>>;
}

type Measured = string | number;

export type Result = Case | Measures;

/** The case over its floor: ratios of one run can be compared across machines, milliseconds cannot. */
export function overFloor(measured: Case, floor: Case): Case {
  return { ...measured, floor: { case: floor.case, ratio: round(measured.summary.p50 / floor.summary.p50) } };
}

/** The same with what a host took of the machine meanwhile, where that is known; in a line that names its numbers. */
export function withStolen(one: Result, stolenShare: number | undefined): Result {
  return isCase(one) || stolenShare === undefined ? one : { ...one, stolenShare };
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
  const rows = measures.map(flat);
  const names = [...new Set(rows.flatMap((one) => Object.keys(one)))].filter((name) => name !== "bench");
  return [names, ...rows.map((one) => names.map((name) => shown(one[name] ?? "")))];
}

/** A group's names behind the group's. */
function flat(measures: Measures): Readonly<Record<string, Measured>> {
  const entries = Object.entries(measures).flatMap(([name, value]): [string, Measured][] =>
    typeof value === "object"
      ? Object.entries(value).map(([inner, one]) => [`${name}.${inner}`, one])
      : [[name, value]],
  );
  return Object.fromEntries(entries);
}

function shown(value: Measured): string {
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

function rounded(values: object): object {
  const short = (value: unknown): unknown => {
    if (typeof value === "number") return round(value);
    return typeof value === "object" && value !== null ? rounded(value) : value;
  };
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, short(value)]));
}

/** Three digits are more than a repetition would confirm. Counts stay whole. */
function round(value: number): number {
  return Number.isSafeInteger(value) ? value : Number(value.toPrecision(value >= 1_000 ? 4 : 3));
}
