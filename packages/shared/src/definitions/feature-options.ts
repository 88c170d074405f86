import type { FeatureType } from "../contracts/feature.ts";
import type { TypeOptions } from "./feature-type.ts";
import { checkLabels } from "./labels.ts";

type OptionName = Exclude<keyof TypeOptions, "element" | "of" | "dimension">;

const everyType = ["description", "owner", "tags", "pii", "nullable", "default"] as const;
const numeric = [...everyType, "min", "max", "tolerance"] as const;
const sized = [...everyType, "minLength", "maxLength"] as const;

/** Which options each type of a feature takes; TypeScript refuses the others, and so does `compileDefinitions`. */
export const optionsOfType: Readonly<Record<FeatureType, readonly OptionName[]>> = {
  bool: everyType,
  int32: numeric,
  int64: [...numeric, "as"],
  float32: numeric,
  float64: numeric,
  string: [...sized, "enum"],
  bytes: sized,
  timestamp: everyType,
  date: everyType,
  json: everyType,
  vector: everyType,
  list: sized,
  map: sized,
};

type Problem = (why: string) => void;

/** Tells of options that the type does not have, and of values that an option cannot take. */
export function checkOptions(type: FeatureType, options: TypeOptions, problem: Problem): void {
  const { element: _element, of: _of, dimension, ...said } = options;
  checkNames(type, said, problem);
  checkLabels(options, problem);
  checkNumbers(options, problem);
  checkAllowed(options.enum, problem);
  if (type === "vector") checkDimension(dimension, problem);
  if (type === "list" || type === "map") checkElement(type, options, problem);
  for (const name of ["nullable", "pii"] as const)
    if (options[name] !== undefined && typeof options[name] !== "boolean") problem(`${name} must be true or false`);
  if (options.as !== undefined && options.as !== "bigint") problem('as must be "bigint"; without it int64 is a number');
}

function checkNames(type: FeatureType, said: object, problem: Problem): void {
  const known: readonly string[] = optionsOfType[type];
  for (const name of Object.keys(said))
    if (!known.includes(name)) problem(`has no option "${name}": ${type} takes ${known.join(", ")}`);
}

function checkNumbers({ min, max, minLength, maxLength, tolerance }: TypeOptions, problem: Problem): void {
  for (const [name, value] of Object.entries({ min, max }))
    if (value !== undefined && !Number.isFinite(value)) problem(`${name} must be a finite number`);
  for (const [name, value] of Object.entries({ minLength, maxLength }))
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= 0))
      problem(`${name} must be a whole number from 0 on`);
  if (tolerance !== undefined && !(Number.isFinite(tolerance) && tolerance >= 0))
    problem("tolerance must be a finite number from 0 on");
  if (min !== undefined && max !== undefined && min > max) problem(`min ${min} is more than max ${max}; swap them`);
  if (minLength !== undefined && maxLength !== undefined && minLength > maxLength)
    problem(`minLength ${minLength} is more than maxLength ${maxLength}; swap them`);
}

function checkAllowed(allowed: TypeOptions["enum"], problem: Problem): void {
  if (allowed === undefined) return;
  if (!Array.isArray(allowed) || allowed.length === 0 || !allowed.every((value) => typeof value === "string"))
    problem("enum must list at least one text");
  else if (new Set(allowed).size < allowed.length) problem("enum lists a value twice; remove one");
}

function checkDimension(dimension: number | undefined, problem: Problem): void {
  if (!Number.isSafeInteger(dimension) || (dimension as number) < 1 || (dimension as number) > 65_536)
    problem("needs a dimension, a whole number from 1 to 65536: vector(384)");
}

function checkElement(
  type: "list" | "map",
  { of, element }: Pick<TypeOptions, "of" | "element">,
  problem: Problem,
): void {
  if (of === undefined || !Object.hasOwn(optionsOfType, of))
    problem(`needs the type of its elements: ${type}(float64())`);
  else if (of === "list" || of === "map" || of === "vector")
    problem(`is a ${type} of ${of}s: a ${type} holds scalars only; use json() for anything deeper`);
  // `as` says how an int64 element looks in TypeScript.
  const more = Object.keys(element ?? {}).filter((name) => name !== "as" && name !== "element" && name !== "of");
  if (more.length > 0 && of !== "vector")
    problem(`has elements with ${more.join(", ")}: elements take no options; say them of the ${type}, or remove them`);
}
