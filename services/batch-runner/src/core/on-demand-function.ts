import type { Catalog, OnDemandFeature } from "@tributary/shared/contracts/catalog";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { batchElementTypes } from "@tributary/shared/contracts/feature";
import { compileOnDemandFeature } from "@tributary/shared/merge/on-demand-column";
import { type CelFunction, functionMacro } from "./cel-function.ts";
import type { ColumnShape } from "./column-type.ts";
import type { PlainType } from "./engine.ts";
import { identifier } from "./sql-text.ts";

/**
 * On-demand features in a view's SQL: `delay_risk(delay, party_size)` calls the same compiled expression that the store evaluates
 * when it reads, with its inputs in declared order. What cannot be evaluated is NULL.
 */
export interface OnDemandFunction {
  readonly name: string;
  readonly cel: CelFunction;
  /** Statements that make it callable, once `cel` is known to the engine. */
  readonly macros: readonly string[];
}

/** The features that the SQL calls by name, without regard to case as SQL has it. @throws TributaryError INVALID_DEFINITION */
export function calledFeatures({ onDemandFeatures = {} }: Catalog, sql: string): readonly OnDemandFeature[] {
  return Object.values(onDemandFeatures).filter(({ name }) => new RegExp(`\\b${name}"?\\s*\\(`, "i").test(sql));
}

/** @throws TributaryError INVALID_DEFINITION for a type that the batch lane has not */
export function onDemandFunction(feature: OnDemandFeature): OnDemandFunction {
  const { name, inputs } = feature;
  for (const input of inputs) plainResult(input, `input "${input.name}" of on-demand feature "${name}"`);
  const { type, typed } = plainResult(feature, `on-demand feature "${name}"`);
  const evaluate = compileOnDemandFeature(feature);
  const toPlain = feature.type === "json" ? toJsonText : (value: unknown) => value;
  // No definition begins with an underscore.
  const untyped = `_${name}`;
  const cel = {
    name: untyped,
    inputs: inputs.map(shapeOf),
    result: type,
    evaluate: (values: Parameters<typeof evaluate>[0]) => toPlain(evaluate(values) ?? null),
  };
  const parameters = inputs.map((_, i) => `p${i}`).join(", ");
  const call = `${identifier(untyped)}(${parameters})`;
  return {
    name,
    cel,
    macros: [functionMacro(cel), `CREATE MACRO ${identifier(name)}(${parameters}) AS ${typed(call)}`],
  };
}

function shapeOf({ name, type, of, as }: OnDemandFeature["inputs"][number]): ColumnShape & { readonly name: string } {
  return { name, type, ...(of && { of }), ...(as && { as }) };
}

function toJsonText(value: unknown): string | null {
  return value === null ? null : JSON.stringify(value);
}

interface PlainResult {
  readonly type: PlainType;
  /** The call's value as a column of the declared type. */
  readonly typed: (call: string) => string;
}

const same = (call: string): string => call;

function plainResult({ type, of }: Pick<OnDemandFeature, "type" | "of">, where: string): PlainResult {
  switch (type) {
    case "bool":
      return { type: "BOOLEAN", typed: same };
    case "int32":
      return { type: "INTEGER", typed: same };
    case "int64":
      return { type: "DOUBLE", typed: (call) => `${call}::BIGINT` };
    case "float32":
      return { type: "FLOAT", typed: same };
    case "float64":
      return { type: "DOUBLE", typed: same };
    case "string":
    case "json":
      return { type: "VARCHAR", typed: same };
    case "bytes":
      return { type: "BLOB", typed: same };
    case "timestamp":
      return { type: "DOUBLE", typed: (call) => `epoch_ms(${call}::BIGINT)` };
    case "date":
      return { type: "DOUBLE", typed: (call) => `(DATE '1970-01-01' + ${call}::INTEGER)` };
    case "list":
      return plainList(of, where);
    case "map":
    case "vector":
      throw unsupported(where, type);
    default:
      return type satisfies never;
  }
}

function plainList(of: OnDemandFeature["of"], where: string): PlainResult {
  if (of === undefined || !batchElementTypes.includes(of)) throw unsupported(where, `list of ${of ?? "nothing"}`);
  const { type } = plainResult({ type: of }, where);
  return { type: `${type}[]` as PlainType, typed: of === "int64" ? (call) => `${call}::BIGINT[]` : same };
}

function unsupported(where: string, what: string): TributaryError {
  const why = `${where} is a ${what}, which the batch lane does not take; use json, or do not call it in SQL`;
  return new TributaryError("INVALID_DEFINITION", why);
}
