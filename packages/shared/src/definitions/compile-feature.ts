import { TributaryError } from "../contracts/errors.ts";
import type { Feature } from "../contracts/feature.ts";
import { defaultForm } from "./feature-default.ts";
import { checkOptions } from "./feature-options.ts";
import type { TypeDefinition, TypeOptions } from "./feature-type.ts";
import { labelsOf } from "./labels.ts";

/** A feature as catalog data: only what was said, so that what says less than it could keeps its fingerprint. */
export function compileFeature(
  name: string,
  { type, options }: TypeDefinition<unknown, null>,
  problem: (why: string) => void,
): Feature {
  let isSound = true;
  const refuse = (why: string): void => {
    isSound = false;
    problem(`feature "${name}" ${why}`);
  };
  checkOptions(type, options, refuse);
  const feature: Feature = { name, type, ...shapeOf(options), ...checksOf(options), ...labelsOf(options) };
  if (options.default === undefined || !isSound) return feature;
  return { ...feature, default: compileDefault(feature, options.default, refuse) };
}

function compileDefault(feature: Feature, given: unknown, refuse: (why: string) => void): unknown {
  if (given === null) refuse("has the default null, which is what a read gives without one; leave it out");
  try {
    return defaultForm(feature, given);
  } catch (error) {
    if (!(error instanceof TributaryError)) throw error;
    refuse(`has a default that it would not take: it ${error.message.replace(/^feature "[^"]*" /, "")}`);
    return undefined;
  }
}

function shapeOf({ of, dimension, as, element }: TypeOptions) {
  const representation = as ?? element?.as;
  return {
    ...(of !== undefined && { of }),
    ...(dimension !== undefined && { dimension }),
    ...(representation !== undefined && { as: representation }),
  };
}

function checksOf({ min, max, minLength, maxLength, enum: allowed, tolerance, nullable, pii }: TypeOptions) {
  return {
    ...(min !== undefined && { min }),
    ...(max !== undefined && { max }),
    ...(minLength !== undefined && { minLength }),
    ...(maxLength !== undefined && { maxLength }),
    ...(allowed !== undefined && { enum: [...allowed] }),
    ...(tolerance !== undefined && { tolerance }),
    ...(nullable === false && { nullable }),
    ...(pii === true && { pii }),
  };
}
