import { toFeatureValue } from "../codec/value-codec.ts";
import type { FeatureValue } from "../contracts/chunk.ts";
import type { Feature, FeatureType } from "../contracts/feature.ts";

const dayMs = 86_400_000;

/**
 * A default as the catalog holds it: one JSON form for each value, from which `toFeatureValue` makes the value again.
 * Instants and days are ISO 8601 text, bytes base64, whole numbers beyond ±2^53 decimal text, vectors lists of numbers.
 * @throws TributaryError BAD_VALUE when it does not fit the feature's type or checks
 */
export function defaultForm(feature: Feature, given: unknown): unknown {
  return jsonForm(feature, toFeatureValue(feature, inputOf(feature, given)));
}

/** Days go by their text: as a number, a day is not the Date's milliseconds. */
function inputOf({ type, of }: Pick<Feature, "type" | "of">, given: unknown): unknown {
  if (type === "list" && Array.isArray(given)) return given.map((item) => elementInput(of, item));
  if (type === "map" && isRecord(given)) return mapValues(given, (item) => elementInput(of, item));
  return elementInput(type, given);
}

function elementInput(type: FeatureType | undefined, given: unknown): unknown {
  const isDay = type === "date" && given instanceof Date && !Number.isNaN(given.getTime());
  return isDay ? given.toISOString().slice(0, 10) : given;
}

function jsonForm({ type, of }: Pick<Feature, "type" | "of">, value: FeatureValue): unknown {
  if (Array.isArray(value)) return type === "list" ? value.map((item) => elementForm(of, item)) : value;
  if (type === "map" && isRecord(value)) return mapValues(value, (item) => elementForm(of, item as FeatureValue));
  return elementForm(type, value);
}

function elementForm(type: FeatureType | undefined, value: FeatureValue): unknown {
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Uint8Array) return type === "vector" ? floatsOf(value) : Buffer.from(value).toString("base64");
  if (typeof value !== "number") return value;
  if (type === "timestamp") return isoOf(value) ?? value;
  if (type === "date") return isoOf(value * dayMs)?.slice(0, 10) ?? value;
  return value;
}

/** Undefined beyond the four-digit years, whose text `Date.parse` and RFC 3339 read differently. */
function isoOf(ms: number): string | undefined {
  const text = Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : "";
  return /^\d{4}-/.test(text) ? text : undefined;
}

function floatsOf(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.byteLength >> 2 }, (_, i) => view.getFloat32(i * 4, true));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}

function mapValues(record: Readonly<Record<string, unknown>>, change: (value: unknown) => unknown) {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}
