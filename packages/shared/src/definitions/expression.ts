import { TypeError as CelTypeError, EvaluationError, ParseError } from "@marcbachmann/cel-js";
import type { FeatureType } from "../contracts/feature.ts";
import { limits } from "../contracts/limits.ts";
import { celTypes, checkingEnvironment, evaluatingEnvironment, nullCall, parseCel } from "./expression-environment.ts";
import { boundProblem, namesIn, typedNulls } from "./expression-syntax.ts";

/** A CEL predicate over a source's fields: safe, serialisable, type-checked when it is defined. */
export type Predicate = (fields: Readonly<Record<string, unknown>>) => boolean;

/** An expression that is checked and ready; `run` throws what the evaluation throws. */
export interface Compiled {
  /** CEL's name of its type; `dyn` where only the evaluation knows. */
  readonly type: string;
  /** Those of the fields that the expression names. */
  readonly names: readonly string[];
  readonly run: (values: Readonly<Record<string, unknown>>) => unknown;
}

/**
 * Compiles a CEL predicate; `problem` hears of a type error or a syntax error, and the result is then undefined.
 * @param fields name → type of what the expression may name
 */
export function compileExpression(
  expression: string,
  fields: Readonly<Record<string, string>>,
  problem: (why: string) => void,
): Predicate | undefined {
  const compiled = compileCel(expression, fields, problem);
  if (compiled === undefined) return undefined;
  if (compiled.type !== "bool" && compiled.type !== "dyn") {
    problem(celProblem(expression, `is ${compiled.type}, not a truth value`));
    return undefined;
  }
  return (values) => compiled.run(values) === true;
}

/** Compiles a CEL expression of any type; `problem` hears what is wrong with it, and the result is then undefined. */
export function compileCel(
  expression: string,
  fields: Readonly<Record<string, string>>,
  problem: (why: string) => void,
): Compiled | undefined {
  const bytes = Buffer.byteLength(expression);
  if (bytes > limits.expressionBytesMax) {
    problem(`CEL of ${bytes} bytes: at most ${limits.expressionBytesMax} are allowed; make it several expressions`);
    return undefined;
  }
  try {
    return checkedCel(expression, fields);
  } catch (error) {
    problem(celProblem(expression, reasonOf(error, Object.keys(fields))));
    return undefined;
  }
}

function checkedCel(expression: string, fields: Readonly<Record<string, string>>): Compiled {
  const syntax = parseCel(expression);
  const bound = boundProblem(syntax);
  if (bound !== undefined) throw new Error(bound);
  // Fields that are not named are left out: one may be called like a word of CEL, say "type".
  const names = namesIn(syntax);
  const named = new Map(Object.entries(fields).filter(([name]) => names.has(name)));
  const source = typedNulls(expression, syntax, nullCall);
  const checked = checkingEnvironment(celTypesOf(named)).parse(source).check();
  if (!checked.valid) throw checked.error ?? new Error("does not type-check");
  const run = evaluatingEnvironment(named.keys()).parse(source);
  if (!run.check().valid) throw new Error("does not type-check");
  return {
    type: String(checked.type),
    names: [...named.keys()],
    run: (values) => run(values as Record<string, unknown>),
  };
}

export function celProblem(expression: string, why: string): string {
  return `CEL "${expression}": ${why}`;
}

function celTypesOf(fields: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map([...fields].map(([name, type]) => [name, celTypes[type as FeatureType] ?? "dyn"]));
}

/** The first line of CEL's own message, and what to do where that is not plain from it. */
function reasonOf(error: unknown, names: readonly string[]): string {
  const why = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
  const isCel = error instanceof ParseError || error instanceof CelTypeError || error instanceof EvaluationError;
  return isCel ? `${why}${hintOf(error.code, why, names)}` : why;
}

function hintOf(code: string, why: string, names: readonly string[]): string {
  if (code === "unknown_variable") return `; there is ${names.join(", ")}`;
  if (!why.includes("int") || !why.includes("double")) return "";
  return "; inputs are doubles: write whole numbers as 1.0, or convert with int(…) or double(…)";
}
