import type { FeatureValue } from "@tributary/shared/contracts/chunk";
import { cellReader, plainColumn } from "./cell-value.ts";
import { type ColumnShape, storedType } from "./column-type.ts";
import type { EngineFunction, PlainType } from "./engine.ts";
import { identifier } from "./sql-text.ts";

/**
 * CEL in SQL: the compiled expression as a function of the engine over plain values, and a macro of the wanted name that
 * turns columns of the declared types into those. So the SQL names columns, and the expression meets the values that it
 * meets everywhere else: epoch milliseconds, days, numbers.
 */
export interface CelFunction {
  readonly name: string;
  readonly inputs: readonly (ColumnShape & { readonly name: string })[];
  readonly result: PlainType;
  /** The result as the engine takes it, by input name. */
  readonly evaluate: (values: Readonly<Record<string, FeatureValue>>) => unknown;
}

export function engineFunction({ name, inputs, result, evaluate }: CelFunction): EngineFunction {
  const readers = inputs.map((input) => ({ name: input.name, read: cellReader(input) }));
  return {
    name: plainName(name),
    parameters: inputs.map(plainType),
    result,
    evaluate: (given) => {
      const values: Record<string, FeatureValue> = {};
      readers.forEach((reader, i) => {
        const value = given[i];
        values[reader.name] = value === null || value === undefined ? null : reader.read(value);
      });
      return evaluate(values);
    },
  };
}

export function functionMacro({ name, inputs }: CelFunction): string {
  const parameters = inputs.map((_, i) => `p${i}`);
  const given = inputs.map((input, i) => plainColumn(input, `p${i}::${storedType(input, `input "${input.name}"`)}`));
  return `CREATE MACRO ${identifier(name)}(${parameters.join(", ")}) AS ${identifier(plainName(name))}(${given.join(", ")})`;
}

function plainName(name: string): string {
  return `_cel_${name}`;
}

/** The type of what `plainColumn` gives. */
function plainType(shape: ColumnShape): PlainType {
  switch (shape.type) {
    case "bool":
      return "BOOLEAN";
    case "int32":
      return "INTEGER";
    case "float32":
      return "FLOAT";
    case "string":
    case "json":
      return "VARCHAR";
    case "bytes":
      return "BLOB";
    case "vector":
      return "FLOAT[]";
    case "list":
      return shape.of === undefined ? "VARCHAR[]" : `${elementType({ type: shape.of })}[]`;
    case "map":
      return "VARCHAR";
    default:
      return "DOUBLE";
  }
}

function elementType(shape: ColumnShape): "BOOLEAN" | "INTEGER" | "FLOAT" | "DOUBLE" | "VARCHAR" {
  const type = plainType(shape);
  return type === "BOOLEAN" || type === "INTEGER" || type === "FLOAT" || type === "VARCHAR" ? type : "DOUBLE";
}
