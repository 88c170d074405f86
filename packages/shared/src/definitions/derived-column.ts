import { Environment } from "@marcbachmann/cel-js";
import { toFeatureValue } from "../codec/value-codec.ts";
import type { StreamView } from "../contracts/catalog.ts";
import type { FeatureValue } from "../contracts/chunk.ts";
import type { FeatureType } from "../contracts/feature.ts";
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

/** CEL's view of a type, and what an expression of that declared type may give. */
const celTypes: Readonly<Partial<Record<FeatureType, { readonly is: string; readonly from: readonly string[] }>>> = {
  bool: { is: "bool", from: ["bool"] },
  int32: { is: "double", from: ["double", "int", "uint"] },
  int64: { is: "double", from: ["double", "int", "uint"] },
  float32: { is: "double", from: ["double", "int", "uint"] },
  float64: { is: "double", from: ["double", "int", "uint"] },
  string: { is: "string", from: ["string"] },
  timestamp: { is: "double", from: ["double", "int", "google.protobuf.Timestamp"] },
  date: { is: "double", from: ["double", "int"] },
};

/**
 * Compiles derived columns over typed fields; `problem` hears of every one that is wrong. The function gives an event's
 * fields together with its columns.
 */
export function compileDerived(
  columns: readonly DerivedColumn[],
  fields: Readonly<Record<string, FeatureType>>,
  problem: (why: string) => void,
): (values: Values) => Values {
  const types = { ...fields };
  const steps = columns.map((column) => {
    const step = compileColumn(column, types, (why) => problem(`derived column "${column.name}" ${why}`));
    types[column.name] = column.type;
    return { name: column.name, step };
  });
  return (values) => {
    const all: Record<string, FeatureValue> = { ...values };
    for (const { name, step } of steps) all[name] = step(all);
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

function compileColumn(
  column: DerivedColumn,
  types: Readonly<Record<string, FeatureType>>,
  problem: (why: string) => void,
): (values: Values) => FeatureValue {
  const nothing = () => null;
  const wanted = celTypes[column.type];
  if (wanted === undefined) {
    problem(`is ${column.type}; declare one of ${Object.keys(celTypes).join(", ")}`);
    return nothing;
  }
  if (Object.hasOwn(types, column.name)) problem("has the name of a field or of another column; rename it");
  try {
    const expression = environmentOf(types).parse(column.expression);
    const checked = expression.check();
    if (!checked.valid) throw checked.error ?? new Error("does not type-check");
    if (checked.type !== "dyn" && !wanted.from.includes(String(checked.type)))
      throw new Error(`is ${checked.type}, not ${column.type}`);
    return (values) => resultOf(column, () => expression(values as Record<string, unknown>));
  } catch (error) {
    problem(`CEL "${column.expression}": ${error instanceof Error ? error.message.split("\n")[0] : String(error)}`);
    return nothing;
  }
}

function environmentOf(types: Readonly<Record<string, FeatureType>>): Environment {
  const environment = new Environment({ unlistedVariablesAreDyn: false });
  for (const [name, type] of Object.entries(types)) environment.registerVariable(name, celTypes[type]?.is ?? "dyn");
  return environment;
}

function resultOf(column: DerivedColumn, evaluate: () => unknown): FeatureValue {
  try {
    const value = evaluate();
    const plain = typeof value === "bigint" ? Number(value) : value instanceof Date ? value.getTime() : value;
    return toFeatureValue(column, plain ?? null);
  } catch {
    return null;
  }
}
