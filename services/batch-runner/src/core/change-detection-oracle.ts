import type { FeatureValue } from "@tributary/shared/contracts/chunk";
import type { RowChange } from "./change-detection.ts";

/**
 * Change detection once more, the naive way: one row at a time over maps. Kept for ever, to judge the SQL by.
 */
export interface OracleCell {
  readonly value: FeatureValue;
  readonly time: number;
  readonly run: number;
}

export interface OracleRow {
  readonly gone: boolean;
  readonly cells: Readonly<Record<string, OracleCell>>;
}

export type OracleSnapshot = ReadonlyMap<string, OracleRow>;
export type OracleValues = Readonly<Record<string, FeatureValue>>;

export interface OracleInput {
  readonly current: ReadonlyMap<string, OracleValues>;
  readonly published: OracleSnapshot;
  readonly withheld: ReadonlySet<string>;
  readonly tolerances: Readonly<Record<string, number>>;
  readonly features: readonly string[];
  readonly run: number;
  readonly intervalEndMs: number;
}

export interface OracleOutput {
  readonly snapshot: OracleSnapshot;
  readonly changes: ReadonlyMap<string, RowChange>;
}

export function detectChangesNaively(input: OracleInput): OracleOutput {
  const snapshot = new Map<string, OracleRow>();
  const changes = new Map<string, RowChange>();
  for (const key of new Set([...input.current.keys(), ...input.published.keys()])) {
    const [change, row] = compareRow(input, key);
    changes.set(key, change);
    snapshot.set(key, row);
  }
  return { snapshot, changes };
}

function compareRow(input: OracleInput, key: string): [RowChange, OracleRow] {
  const current = input.current.get(key);
  const published = input.published.get(key);
  if (current === undefined) return missingRow(input, key, published as OracleRow);
  if (published === undefined || published.gone)
    return ["inserted", { gone: false, cells: freshCells(input, current) }];
  return presentRow(input, current, published);
}

function missingRow(input: OracleInput, key: string, published: OracleRow): [RowChange, OracleRow] {
  if (published.gone) return ["gone", published];
  if (input.withheld.has(key)) return ["withheld", published];
  const nothing = Object.fromEntries(input.features.map((feature) => [feature, null]));
  return ["deleted", { gone: true, cells: freshCells(input, nothing) }];
}

function presentRow(input: OracleInput, current: OracleValues, published: OracleRow): [RowChange, OracleRow] {
  const cells: Record<string, OracleCell> = {};
  let change: RowChange = "unchanged";
  for (const feature of input.features) {
    const before = published.cells[feature] as OracleCell;
    const value = current[feature] ?? null;
    const same = equal(value, before.value);
    const within = !same && isWithin(value, before.value, input.tolerances[feature] ?? 0);
    cells[feature] = same || within ? before : fresh(input, value);
    if (!same && !within) change = "updated";
    else if (within && change === "unchanged") change = "suppressed";
  }
  return [change, { gone: false, cells }];
}

function freshCells(input: OracleInput, values: OracleValues): Record<string, OracleCell> {
  return Object.fromEntries(input.features.map((feature) => [feature, fresh(input, values[feature] ?? null)]));
}

function fresh(input: OracleInput, value: FeatureValue): OracleCell {
  return { value, time: input.intervalEndMs, run: input.run };
}

/** −0.0 equals 0.0, NULL equals NULL. */
function equal(a: FeatureValue, b: FeatureValue): boolean {
  return a === b || (typeof a === "object" && typeof b === "object" && JSON.stringify(a) === JSON.stringify(b));
}

function isWithin(a: FeatureValue, b: FeatureValue, tolerance: number): boolean {
  return typeof a === "number" && typeof b === "number" && tolerance > 0 && Math.abs(a - b) <= tolerance;
}
