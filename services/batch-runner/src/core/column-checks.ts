import type { Feature } from "@tributary/shared/contracts/feature";
import { literal } from "./sql-text.ts";

/** A condition that is true for a value that cannot be taken, and what to say then. */
export interface Refusal {
  readonly when: string;
  readonly why: string;
}

/**
 * The feature's own checks over the cast column: the same values are refused as `codec/value-checks.ts` refuses of a
 * direct write, with the same words. NULL passes all of them but the last.
 */
export function checkRefusals(feature: Feature, cast: string): readonly Refusal[] {
  const { min, max, enum: allowed, nullable } = feature;
  const number = isFloat(feature) ? `${cast}::DOUBLE` : cast;
  return [
    ...(min === undefined ? [] : [{ when: `${number} < ${exact(min)}`, why: `must be at least ${min}` }]),
    ...(max === undefined ? [] : [{ when: `${number} > ${exact(max)}`, why: `must be at most ${max}` }]),
    ...(allowed === undefined
      ? []
      : [{ when: `${cast} NOT IN (${allowed.map(literal).join(", ")})`, why: `must be one of ${allowed.join(", ")}` }]),
    ...lengthRefusals(feature, cast),
    ...(nullable === false ? [{ when: `${cast} IS NULL`, why: "must not be null" }] : []),
  ];
}

function isFloat({ type }: Feature): boolean {
  return type === "float32" || type === "float64";
}

/** The number that JavaScript means: its text rounds whole numbers beyond 2^53, and SQL reads a fraction as a decimal. */
function exact(bound: number): string {
  return Number.isInteger(bound) && Math.abs(bound) < 1e37 ? String(BigInt(bound)) : `${bound}::DOUBLE`;
}

function lengthRefusals({ type, minLength, maxLength }: Feature, cast: string): readonly Refusal[] {
  const { length, unit } = lengthIn(type, cast);
  return [
    ...(minLength === undefined
      ? []
      : [{ when: `${length} < ${minLength}`, why: `must have at least ${minLength} ${unit}` }]),
    ...(maxLength === undefined
      ? []
      : [{ when: `${length} > ${maxLength}`, why: `must have at most ${maxLength} ${unit}` }]),
  ];
}

/** `length` counts code points. */
function lengthIn(type: Feature["type"], cast: string): { readonly length: string; readonly unit: string } {
  if (type === "string") return { length: `length(${cast})`, unit: "characters" };
  if (type === "bytes") return { length: `octet_length(${cast})`, unit: "bytes" };
  return { length: `len(${cast})`, unit: "elements" };
}
