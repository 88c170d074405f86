import { toFeatureValue } from "../codec/value-codec.ts";
import type { FeatureValue } from "../contracts/chunk.ts";
import type { Feature, FeatureType } from "../contracts/feature.ts";
import { limits } from "../contracts/limits.ts";
import { type Compiled, celProblem, compileCel } from "./expression.ts";

/** A value of one declared type that CEL makes of others: an on-demand feature, a derived column. */
export interface ValueExpression {
  /** For errors. */
  readonly name: string;
  readonly type: FeatureType;
  readonly of?: FeatureType | undefined;
  readonly expression: string;
  readonly inputs: readonly { readonly name: string; readonly type: FeatureType }[];
}

/**
 * Gives the value for the inputs, by name; an input that is not there is null. Undefined where there is no value: a null that
 * the expression does not allow for, a division by zero, a result that is not of the declared type.
 */
export type Evaluate = (values: Readonly<Record<string, FeatureValue>>) => FeatureValue | undefined;

/** Compiled once, evaluated anywhere; `problem` hears what is wrong with it, and the result is then undefined. */
export function compileValue(value: ValueExpression, problem: (why: string) => void): Evaluate | undefined {
  const allowed = resultTypes[value.type];
  const unfit = [value, ...value.inputs].find(({ type }) => resultTypes[type].length === 0);
  if (unfit)
    problem(`${unfit === value ? "its type" : `input "${unfit.name}"`} is ${unfit.type}, which CEL does not have`);
  const types = Object.fromEntries(value.inputs.map(({ name, type }) => [name, type]));
  const compiled = compileCel(value.expression, types, problem);
  if (compiled === undefined || unfit) return undefined;
  const kind = compiled.type.replace(/<.*$/, "");
  if (kind !== "dyn" && value.type !== "json" && !allowed.includes(kind)) {
    problem(celProblem(value.expression, `is ${compiled.type}, which is no ${value.type}`));
    return undefined;
  }
  return evaluator(value, compiled);
}

const numeric = ["double", "int"];
/** What CEL may give for a declared type; none = the type is not for expressions. */
const resultTypes: Readonly<Record<FeatureType, readonly string[]>> = {
  bool: ["bool"],
  int32: numeric,
  int64: numeric,
  float32: numeric,
  float64: numeric,
  string: ["string"],
  bytes: ["bytes"],
  timestamp: [...numeric, "google.protobuf.Timestamp"],
  date: numeric,
  json: ["dyn"],
  list: ["list"],
  map: ["map"],
  vector: [],
};

function evaluator(value: ValueExpression, { names, run }: Compiled): Evaluate {
  const named = value.inputs.filter(({ name }) => names.includes(name));
  const inputs = named.map(({ name, type }) => ({ name, toCel: toCelOf(type) }));
  const shape: Feature = { name: value.name, type: value.type, ...(value.of !== undefined && { of: value.of }) };
  const isBig = ["string", "json", "list", "map"].includes(value.type);
  // One object for all evaluations: they never overlap.
  const variables: Record<string, unknown> = {};
  return (values) => {
    const stackTraceLimit = Error.stackTraceLimit;
    // Nobody sees the stack of an expression that failed, and it costs five times the rest.
    Error.stackTraceLimit = 0;
    try {
      for (const { name, toCel } of inputs)
        variables[name] = toCel(Object.hasOwn(values, name) ? (values[name] ?? null) : null);
      const result = toFeatureValue(shape, plain(run(variables)));
      return isBig ? bounded(result) : result;
    } catch {
      return undefined;
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  };
}

type ToCel = (value: FeatureValue) => unknown;

function toCelOf(type: FeatureType): ToCel {
  switch (type) {
    case "int32":
    case "int64":
    case "float32":
    case "float64":
    case "timestamp":
    case "date":
      return (value) => (typeof value === "bigint" ? Number(value) : value);
    case "bytes":
      // A Buffer is not what CEL calls bytes.
      return (value) => (value instanceof Uint8Array ? new Uint8Array(value) : value);
    case "list":
    case "map":
    case "json":
      return (value) => {
        if (elementsIn(value) > limits.expressionElementsMax) throw new RangeError("too many elements");
        return value;
      };
    default:
      return (value) => value;
  }
}

function elementsIn(value: FeatureValue): number {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return 0;
  const elements: readonly FeatureValue[] = Array.isArray(value) ? value : Object.values(value);
  return elements.reduce<number>((sum, element) => sum + elementsIn(element), elements.length);
}

/** CEL's whole numbers are bigints and its instants Dates. */
function plain(value: unknown): unknown {
  switch (typeof value) {
    case "bigint":
      return Number(value);
    case "object":
      if (value === null || value instanceof Uint8Array) return value;
      if (value instanceof Date) return value.getTime();
      if (Array.isArray(value)) return value.map(plain);
      return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]));
    default:
      return value;
  }
}

function bounded(value: FeatureValue): FeatureValue | undefined {
  if (typeof value === "string") return value;
  return JSON.stringify(value).length > limits.expressionResultBytesMax ? undefined : value;
}
