import type { StreamView } from "../contracts/catalog.ts";
import type { FeatureValue } from "../contracts/chunk.ts";
import type { FeatureType } from "../contracts/feature.ts";
import { compileValue, type Evaluate } from "./expression-value.ts";
import type { TypeDefinition } from "./feature-type.ts";

/**
 * Columns that CEL makes of an event's fields, each of the fields and of the columns declared before it. What cannot be
 * evaluated (a field that is null, a division by zero) or does not fit the declared type is null.
 */
export interface DerivedDefinition {
  readonly kind: "derived";
  readonly type: TypeDefinition<unknown, null>;
  readonly expression: string;
}

export type DerivedMap = Readonly<Record<string, DerivedDefinition>>;

/** A column of a stream view's events, for its keys, its filter and its aggregations. */
export function derived(
  type: TypeDefinition<number | bigint | boolean | string | Date, null>,
  expression: string,
): DerivedDefinition {
  return { kind: "derived", type, expression };
}

export type DerivedColumn = NonNullable<StreamView["derive"]>[number];
type Values = Readonly<Record<string, FeatureValue>>;
type Types = Readonly<Record<string, FeatureType>>;

const types = ["bool", "int32", "int64", "float32", "float64", "string", "timestamp", "date"];

/**
 * Compiles derived columns over typed fields; `problem` hears of every one that is wrong. The function gives an event's
 * fields together with its columns.
 */
export function compileDerived(
  columns: readonly DerivedColumn[],
  fields: Types,
  problem: (why: string) => void,
): (values: Values) => Values {
  const known = { ...fields };
  const steps = columns.map((column) => {
    const evaluate = compileColumn(column, known, (why) => problem(`derived column "${column.name}" ${why}`));
    known[column.name] = column.type;
    return { name: column.name, evaluate };
  });
  return (values) => {
    const all: Record<string, FeatureValue> = { ...values };
    for (const { name, evaluate } of steps) all[name] = evaluate?.(all) ?? null;
    return all;
  };
}

interface Typed {
  readonly name: string;
  readonly type: FeatureType;
}

/** Name → type, of a source's fields and of derived columns. */
export function columnTypes(columns: readonly Typed[]): Record<string, FeatureType> {
  return Object.fromEntries(columns.map(({ name, type }) => [name, type]));
}

function compileColumn(column: DerivedColumn, known: Types, problem: (why: string) => void): Evaluate | undefined {
  if (!types.includes(column.type)) {
    problem(`is ${column.type}; declare one of ${types.join(", ")}`);
    return undefined;
  }
  if (Object.hasOwn(known, column.name)) problem("has the name of a field or of another column; rename it");
  const inputs = Object.entries(known)
    .map(([name, type]) => ({ name, type }))
    .filter(({ type }) => type !== "vector");
  return compileValue({ ...column, inputs }, problem);
}
