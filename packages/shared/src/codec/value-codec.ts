import type { FeatureValue } from "../contracts/chunk.ts";
import { TributaryError } from "../contracts/errors.ts";
import type { Feature, FeatureType } from "../contracts/feature.ts";
import { isCalendarDay, parseTimestamp } from "./timestamp.ts";
import { type Checked, refusalOf } from "./value-checks.ts";

type Shape = Pick<Feature, "type" | "of" | "dimension" | "as">;

/**
 * One input value (from JSON, msgpack or an engine), checked against its feature: type, range, length, allowed values.
 * null is the value NULL. Timestamps come out as epoch ms, vectors and bytes as Uint8Array, float32 rounded, an int64 beyond
 * ±2^53 (with `as: "bigint"`) as a bigint.
 * @throws TributaryError BAD_VALUE naming the feature and what it must be
 */
export function toFeatureValue(feature: Checked, input: unknown): FeatureValue {
  if (input === null) {
    if (feature.nullable === false) throw bad(feature, "must not be null");
    return null;
  }
  const value = convert(feature, input);
  if (value === undefined) throw bad(feature, `must be ${describe(feature)}`);
  const refusal = refusalOf(feature, value);
  if (refusal !== undefined) throw bad(feature, refusal);
  return value;
}

/** A value of the declared type, or undefined. */
function convert(shape: Shape, input: unknown): FeatureValue | undefined {
  switch (shape.type) {
    case "list":
      return convertList(elementOf(shape), input);
    case "map":
      return convertMap(elementOf(shape), input);
    case "vector":
      return convertVector(shape.dimension ?? 0, input);
    case "json":
      return toJson(input);
    default:
      return convertScalar(shape, shape.type, input);
  }
}

function elementOf({ of = "json", as }: Shape): Shape {
  return as === undefined ? { type: of } : { type: of, as };
}

function convertScalar(
  { as }: Shape,
  type: Exclude<FeatureType, "list" | "map" | "vector" | "json">,
  input: unknown,
): FeatureValue | undefined {
  switch (type) {
    case "bool":
      return typeof input === "boolean" ? input : undefined;
    case "int32":
      return typeof input === "number" && Number.isInteger(input) && Math.abs(input) <= 0x7fffffff
        ? input + 0
        : undefined;
    case "int64":
      return as === "bigint" ? toWideInt64(input) : toInt64(input);
    case "float32":
      return typeof input === "number" && Number.isFinite(Math.fround(input)) ? Math.fround(input) + 0 : undefined;
    case "float64":
      return typeof input === "number" && Number.isFinite(input) ? input + 0 : undefined;
    case "string":
      return typeof input === "string" ? input : undefined;
    case "bytes":
      return toBytes(input);
    case "timestamp":
      return parseTimestamp(input);
    case "date":
      return toDate(input);
    default:
      return type satisfies never;
  }
}

/** A safe integer, or a decimal string or bigint of one. */
function toInt64(input: unknown): number | undefined {
  const value =
    typeof input === "bigint" || (typeof input === "string" && /^-?\d{1,16}$/.test(input)) ? Number(input) : input;
  return typeof value === "number" && Number.isSafeInteger(value) ? value + 0 : undefined;
}

/** A whole number of 64 bits: a safe integer, or a decimal string or bigint; a number when safe, else a bigint. */
function toWideInt64(input: unknown): number | bigint | undefined {
  const value = typeof input === "string" && /^-?\d{1,19}$/.test(input) ? BigInt(input) : input;
  if (typeof value !== "bigint" || BigInt.asIntN(64, value) !== value) return toInt64(value);
  return toInt64(value) ?? value;
}

function toBytes(input: unknown): Uint8Array | undefined {
  if (input instanceof Uint8Array) return input;
  if (typeof input === "string" && /^[A-Za-z0-9+/]*={0,2}$/.test(input) && input.length % 4 === 0)
    return new Uint8Array(Buffer.from(input, "base64"));
  return undefined;
}

/** Days since 1970-01-01. */
function toDate(input: unknown): number | undefined {
  if (typeof input === "number") return Number.isInteger(input) && Math.abs(input) < 100_000_000 ? input : undefined;
  if (typeof input !== "string" || !/^\d{4}-\d{2}-\d{2}$/.test(input) || !isCalendarDay(input)) return undefined;
  return Date.parse(`${input}T00:00:00Z`) / 86_400_000;
}

function convertList(element: Shape, input: unknown): FeatureValue | undefined {
  if (!Array.isArray(input)) return undefined;
  const items = input.map((item) => (item === null ? null : convert(element, item)));
  return items.includes(undefined) ? undefined : (items as FeatureValue[]);
}

function convertMap(element: Shape, input: unknown): FeatureValue | undefined {
  if (typeof input !== "object" || input === null || Array.isArray(input) || input instanceof Uint8Array)
    return undefined;
  const entries = Object.entries(input).map(
    ([key, item]) => [key, item === null ? null : convert(element, item)] as const,
  );
  return entries.some(([, item]) => item === undefined) ? undefined : (Object.fromEntries(entries) as FeatureValue);
}

/** Little-endian float32 of the declared dimension. */
function convertVector(dimension: number, input: unknown): Uint8Array | undefined {
  if (input instanceof Uint8Array) return input.length === dimension * 4 ? input : undefined;
  const isList = Array.isArray(input) || input instanceof Float32Array;
  if (!isList || input.length !== dimension) return undefined;
  const out = new Uint8Array(dimension * 4);
  const view = new DataView(out.buffer);
  for (let i = 0; i < dimension; i++) {
    const item: unknown = input[i];
    if (typeof item !== "number" || !Number.isFinite(Math.fround(item))) return undefined;
    view.setFloat32(i * 4, item + 0, true);
  }
  return out;
}

const jsonElement: Shape = { type: "json" };

/** Any JSON value with finite numbers. */
function toJson(input: unknown): FeatureValue | undefined {
  if (input === null || typeof input === "boolean" || typeof input === "string") return input;
  if (typeof input === "number") return Number.isFinite(input) ? input + 0 : undefined;
  return Array.isArray(input) ? convertList(jsonElement, input) : convertMap(jsonElement, input);
}

function describe(feature: Checked): string {
  switch (feature.type) {
    case "int32":
      return "int32 (a whole number within ±2^31)";
    case "int64":
      return feature.as === "bigint"
        ? "int64 (a whole number of 64 bits; beyond ±2^53 a bigint, or decimal text)"
        : "int64 (a whole number within ±2^53)";
    case "float32":
    case "float64":
      return `${feature.type} (a finite number)`;
    case "list":
    case "map":
      return `a ${feature.type} of ${feature.of ?? "json"}`;
    case "vector":
      return `a vector of ${feature.dimension ?? 0} numbers`;
    case "timestamp":
      return "a timestamp (epoch milliseconds or RFC 3339 with a zone)";
    default:
      return `of type ${feature.type}`;
  }
}

function bad(feature: Checked, why: string): TributaryError {
  return new TributaryError("BAD_VALUE", `feature "${feature.name}" ${why}`);
}
