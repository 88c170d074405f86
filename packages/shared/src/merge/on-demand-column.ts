import type { Catalog, FeatureService, OnDemandFeature } from "../contracts/catalog.ts";
import type { FeatureValue } from "../contracts/chunk.ts";
import { TributaryError } from "../contracts/errors.ts";
import type { ReadColumn } from "../contracts/read.ts";
import { compileValue, type Evaluate } from "../definitions/expression-value.ts";

/** A column that is computed when it is read, ready to be. */
export interface OnDemandColumn {
  readonly name: string;
  /** The on-demand feature's own name. */
  readonly feature: string;
  readonly inputs: readonly { readonly input: string; readonly from: "column" | "request"; readonly name: string }[];
  readonly evaluate: Evaluate;
}

export interface OnDemandInput {
  /** By name, at least those that the column needs. */
  readonly columns: ReadonlyMap<string, ReadColumn>;
  /** Request fields of each row. */
  readonly rows: readonly Readonly<Record<string, FeatureValue>>[];
  readonly detail: boolean;
  /** Hears how many rows of a feature could not be evaluated. */
  readonly failed: (feature: string, rows: number) => void;
}

/** The on-demand columns of a feature service, each behind those that it needs. @throws TributaryError INVALID_DEFINITION */
export function planOnDemand(catalog: Catalog, { onDemand = [] }: FeatureService): readonly OnDemandColumn[] {
  return onDemand.map(({ name, feature, inputs }) => ({
    name,
    feature,
    inputs: Object.entries(inputs).map(([input, source]) => ({ input, ...source })),
    evaluate: compileFeature(catalog.onDemandFeatures?.[feature], feature),
  }));
}

function compileFeature(feature: OnDemandFeature | undefined, name: string): Evaluate {
  if (feature === undefined)
    throw invalid(`a feature service names the on-demand feature "${name}", which does not exist`);
  return compileOnDemandFeature(feature);
}

/** @throws TributaryError INVALID_DEFINITION for an expression that this build cannot take */
export function compileOnDemandFeature(feature: OnDemandFeature): Evaluate {
  const problems: string[] = [];
  const evaluate = compileValue(feature, (why) => problems.push(why));
  if (evaluate === undefined) throw invalid(`on-demand feature "${feature.name}": ${problems.join("; ")}`);
  return evaluate;
}

function invalid(why: string): TributaryError {
  return new TributaryError("INVALID_DEFINITION", why);
}

/** The names of the columns, stored and on-demand, that these on-demand columns need, themselves included. */
export function columnsNeededBy(wanted: ReadonlySet<string>, all: readonly OnDemandColumn[]): ReadonlySet<string> {
  const needed = new Set(wanted);
  // From the last to the first: a column stands behind those that it needs.
  for (const { name, inputs } of [...all].reverse())
    if (needed.has(name)) for (const source of inputs) if (source.from === "column") needed.add(source.name);
  return needed;
}

/**
 * One on-demand column of the reply. What an input column shows counts, whatever its status: a default, or null. The event time
 * is the oldest of the input columns', the age the greatest; it is fresh when they all are.
 */
export function buildOnDemandColumn(column: OnDemandColumn, input: OnDemandInput): ReadColumn {
  const values = evaluateRows(column, input);
  if (!input.detail) return { name: column.name, values };
  const sources = column.inputs.flatMap(({ from, name }) => (from === "column" ? [columnOf(input, name)] : []));
  const rows = values.map((_, row) => row);
  return {
    name: column.name,
    values,
    statuses: values.map((value) => (value === null ? "NULL_VALUE" : "PRESENT")),
    eventTimes: rows.map((row) => least(sources.map(({ eventTimes }) => eventTimes?.[row] ?? null))),
    agesMs: rows.map((row) => greatest(sources.map(({ agesMs }) => agesMs?.[row] ?? null))),
    fresh: rows.map((row) => sources.every(({ fresh }) => fresh?.[row] === true)),
  };
}

function evaluateRows({ feature, inputs, evaluate }: OnDemandColumn, input: OnDemandInput): FeatureValue[] {
  const sources = inputs.map(({ input: name, from, name: source }) => {
    const column = from === "column" ? columnOf(input, source).values : undefined;
    return { name, at: (row: number) => (column ? column[row] : input.rows[row]?.[source]) ?? null };
  });
  let failures = 0;
  const variables: Record<string, FeatureValue> = {};
  const values = input.rows.map((_, row) => {
    for (const { name, at } of sources) variables[name] = at(row);
    const value = evaluate(variables);
    if (value === undefined) failures += 1;
    return value ?? null;
  });
  if (failures > 0) input.failed(feature, failures);
  return values;
}

function columnOf({ columns }: OnDemandInput, name: string): ReadColumn {
  const column = columns.get(name);
  if (column === undefined) throw invalid(`an on-demand feature needs the column "${name}", which does not exist`);
  return column;
}

function least(times: readonly (number | null)[]): number | null {
  return times.reduce((least, time) => (least === null || (time !== null && time < least) ? time : least), null);
}

function greatest(ages: readonly (number | null)[]): number | null {
  return ages.reduce((greatest, age) => (greatest === null || (age !== null && age > greatest) ? age : greatest), null);
}
