import type { FeatureValue } from "../contracts/chunk.ts";
import type { Feature } from "../contracts/feature.ts";
import { limits } from "../contracts/limits.ts";

/** What of a feature its values are held against. */
export type Checked = Omit<Feature, "tags" | "enum"> & { readonly enum?: readonly string[] | undefined };

/**
 * Why a value of the declared type is refused, as the end of a sentence that begins with the feature; undefined when it
 * fits. The batch lane refuses the same values in SQL (`column-checks.ts`); one table of cases holds both to it.
 */
export function refusalOf(feature: Checked, value: FeatureValue): string | undefined {
  if (typeof value === "number" || typeof value === "bigint") return outOfRange(feature, value);
  if (typeof value === "string" && feature.type === "string") return refusalOfText(feature, value);
  if (feature.minLength === undefined && feature.maxLength === undefined) return undefined;
  return outOfLength(feature, lengthOf(value), feature.type === "bytes" ? "bytes" : "elements");
}

function outOfRange({ min, max }: Checked, value: number | bigint): string | undefined {
  if (min !== undefined && value < min) return `must be at least ${min}`;
  if (max !== undefined && value > max) return `must be at most ${max}`;
  return undefined;
}

function refusalOfText(feature: Checked, value: string): string | undefined {
  if (Buffer.byteLength(value) > limits.stringBytesMax) return `is longer than ${limits.stringBytesMax} bytes`;
  if (feature.enum !== undefined && !feature.enum.includes(value)) return `must be one of ${feature.enum.join(", ")}`;
  if (feature.minLength === undefined && feature.maxLength === undefined) return undefined;
  return outOfLength(feature, charactersOf(value), "characters");
}

function outOfLength({ minLength, maxLength }: Checked, length: number, unit: string): string | undefined {
  if (minLength !== undefined && length < minLength) return `must have at least ${minLength} ${unit}`;
  if (maxLength !== undefined && length > maxLength) return `must have at most ${maxLength} ${unit}`;
  return undefined;
}

/** Unicode code points, as SQL counts them: an emoji is one although it takes two units of a JavaScript string. */
function charactersOf(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/** Bytes of bytes, elements of a list or a map. */
function lengthOf(value: FeatureValue): number {
  if (typeof value !== "object" || value === null) return 0;
  if (value instanceof Uint8Array || Array.isArray(value)) return value.length;
  return Object.keys(value).length;
}
