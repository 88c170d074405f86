import { Environment } from "@marcbachmann/cel-js";

/** A CEL predicate over a source's fields: safe, serialisable, type-checked when it is defined. */
export type Predicate = (fields: Readonly<Record<string, unknown>>) => boolean;

const celTypes: Readonly<Record<string, string>> = {
  bool: "bool",
  int32: "double",
  int64: "double",
  float32: "double",
  float64: "double",
  string: "string",
  timestamp: "double",
  date: "double",
};

/**
 * Compiles a CEL expression; `problem` hears of a type error or a syntax error, and the result is then undefined.
 * Every number is a CEL double, so that `delay > -60` needs no suffix; timestamps are epoch milliseconds.
 */
export function compileExpression(
  expression: string,
  fields: Readonly<Record<string, string>>,
  problem: (why: string) => void,
): Predicate | undefined {
  const environment = new Environment({ unlistedVariablesAreDyn: false });
  for (const [name, type] of Object.entries(fields)) environment.registerVariable(name, celTypes[type] ?? "dyn");
  try {
    const compiled = environment.parse(expression);
    const checked = compiled.check();
    if (!checked.valid) throw checked.error ?? new Error("does not type-check");
    if (checked.type !== "bool" && checked.type !== "dyn") throw new Error(`is ${checked.type}, not a truth value`);
    return (values) => compiled(values as Record<string, unknown>) === true;
  } catch (error) {
    problem(`CEL "${expression}": ${error instanceof Error ? error.message.split("\n")[0] : String(error)}`);
    return undefined;
  }
}
