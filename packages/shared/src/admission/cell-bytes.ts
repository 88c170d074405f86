import type { FeatureValue } from "../contracts/chunk.ts";

/** An upper estimate of a value's msgpack bytes; sizes a chunk before anything is encoded. */
export function cellBytes(value: FeatureValue): number {
  if (value === null || typeof value === "boolean") return 1;
  if (typeof value === "number" || typeof value === "bigint") return 9;
  // A UTF-16 unit takes at most three bytes of UTF-8.
  if (typeof value === "string") return 5 + value.length * 3;
  if (value instanceof Uint8Array) return 5 + value.length;
  if (Array.isArray(value)) return 5 + value.reduce((sum: number, item: FeatureValue) => sum + cellBytes(item), 0);
  return 5 + Object.entries(value).reduce((sum, [name, item]) => sum + 5 + name.length * 3 + cellBytes(item), 0);
}
