import { Environment, type ParseResult } from "@marcbachmann/cel-js";
import type { FeatureType } from "../contracts/feature.ts";
import { limits } from "../contracts/limits.ts";

/**
 * CEL as it is spoken here: the standard language, in which every number that comes in is a double (timestamps epoch ms, dates
 * days since 1970), a whole-number literal may stand beside one, and null may be asked for and given. Two environments:
 * with declared types an expression is *checked*; to be *evaluated* every variable is dynamic, because only then does
 * `x * 2` of a null end in an error instead of JavaScript's 0.
 */
export const celTypes: Readonly<Record<FeatureType, string>> = {
  bool: "bool",
  int32: "double",
  int64: "double",
  float32: "double",
  float64: "double",
  string: "string",
  bytes: "bytes",
  timestamp: "double",
  date: "double",
  json: "dyn",
  list: "list",
  map: "map",
  vector: "dyn",
};

/** What `null` becomes as a branch of `?:`: a call whose type is that of the other branch. */
export const nullCall = "null_()";

const structure = {
  maxAstNodes: limits.expressionNodesMax,
  maxDepth: limits.expressionDepthMax,
  maxListElements: limits.expressionElementsMax,
  maxMapEntries: limits.expressionElementsMax,
};

/** The syntax of an expression, whatever its names mean. */
export function parseCel(expression: string): ParseResult["ast"] {
  return checking.parse(expression).ast;
}

/** @throws Error for a name that CEL uses itself */
export function checkingEnvironment(types: ReadonlyMap<string, string>): Environment {
  return withVariables(checking.clone(), types);
}

/** @throws Error for a name that CEL uses itself */
export function evaluatingEnvironment(names: Iterable<string>): Environment {
  return withVariables(evaluating.clone(), new Map([...names].map((name) => [name, "dyn"])));
}

function withVariables(environment: Environment, types: ReadonlyMap<string, string>): Environment {
  for (const [name, type] of types) {
    if (environment.hasVariable(name)) throw new Error(`"${name}" is a word of CEL and cannot be named; rename it`);
    environment.registerVariable(name, type);
  }
  return environment;
}

type Num = number | bigint;

const arithmetic: Readonly<Record<string, (a: Num, b: Num) => number>> = {
  "+": (a, b) => Number(a) + Number(b),
  "-": (a, b) => Number(a) - Number(b),
  "*": (a, b) => Number(a) * Number(b),
  "/": (a, b) => Number(a) / Number(b),
};

/** Names and meaning are those of CEL's math extension. */
const ofOne: Readonly<Record<string, (x: number) => number>> = {
  abs: Math.abs,
  ceil: Math.ceil,
  floor: Math.floor,
  round: (x) => Math.sign(x) * Math.round(Math.abs(x)),
  trunc: Math.trunc,
  sign: Math.sign,
  sqrt: Math.sqrt,
};
const ofTwo: Readonly<Record<string, (x: number, y: number) => number>> = { greatest: Math.max, least: Math.min };

class MathNamespace {}

const checking = withComparisons(base());
const evaluating = base();

function base(): Environment {
  const options = { unlistedVariablesAreDyn: false, homogeneousAggregateLiterals: false, limits: structure };
  const environment = new Environment(options);
  environment.registerFunction("null_(): T", () => null);
  for (const [op, apply] of Object.entries(arithmetic)) {
    environment.registerOperator(`double ${op} int: double`, apply);
    environment.registerOperator(`int ${op} double: double`, apply);
  }
  environment.registerType("Math", { ctor: MathNamespace, fields: {} });
  environment.registerConstant("math", "Math", new MathNamespace());
  for (const type of ["double", "int"]) {
    for (const [name, apply] of Object.entries(ofOne))
      environment.registerFunction(`Math.${name}(${type}): double`, (_math: unknown, x: Num) => apply(Number(x)));
    for (const other of ["double", "int"])
      for (const [name, apply] of Object.entries(ofTwo))
        environment.registerFunction(`Math.${name}(${type}, ${other}): double`, (_math: unknown, x: Num, y: Num) =>
          apply(Number(x), Number(y)),
        );
  }
  return environment;
}

/** Values meet these by themselves when all is dynamic; with declared types they have to be said. */
function withComparisons(environment: Environment): Environment {
  const never = () => false;
  for (const type of ["bool", "double", "string", "bytes", "list", "map"])
    environment.registerOperator(`${type} == null`, never);
  environment.registerOperator("double == int", never);
  environment.registerOperator("double in list<int>", never);
  return environment;
}
