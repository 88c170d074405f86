import { toFeatureValue } from "../codec/value-codec.ts";
import type { RequestField } from "../contracts/catalog.ts";
import type { FeatureValue } from "../contracts/chunk.ts";
import { TributaryError } from "../contracts/errors.ts";
import { limits } from "../contracts/limits.ts";
import { type ReadRequest, readRequestSchema } from "../contracts/read.ts";

/** @throws TributaryError MALFORMED, LIMIT_EXCEEDED */
export function parseReadRequest(value: unknown): ReadRequest {
  // The schema looks at every value of every row; where a glance shows that all is well, it has nothing to add.
  if (isPlainRequest(value)) return value;
  const parsed = readRequestSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue?.path.join(".") || "the request";
  const code = issue?.code === "too_big" && issue.path.length === 1 ? "LIMIT_EXCEEDED" : "MALFORMED";
  throw new TributaryError(code, `${where}: ${issue?.message ?? "malformed"}`);
}

const plainMembers = new Set(["featureService", "keys", "features", "detail"]);

/** Of the right form beyond doubt. What this does not recognise the schema judges. */
function isPlainRequest(value: unknown): value is ReadRequest {
  if (typeof value !== "object" || value === null) return false;
  const { featureService, keys, features, detail } = value as Partial<Record<keyof ReadRequest, unknown>>;
  return (
    Object.keys(value).every((name) => plainMembers.has(name)) &&
    typeof featureService === "string" &&
    isList(keys, limits.readEntitiesMax, isPlainRow) &&
    (features === undefined || isList(features, limits.featuresPerViewMax, (name) => typeof name === "string")) &&
    (detail === undefined || typeof detail === "boolean")
  );
}

function isList(value: unknown, lengthMax: number, isItem: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.length > 0 && value.length <= lengthMax && value.every(isItem);
}

function isPlainRow(row: unknown): boolean {
  if (typeof row !== "object" || row === null || Object.getPrototypeOf(row) !== Object.prototype) return false;
  for (const name in row) if (!isPlainValue((row as Readonly<Record<string, unknown>>)[name])) return false;
  return true;
}

function isPlainValue(value: unknown): boolean {
  switch (typeof value) {
    case "number":
      return Number.isFinite(value);
    case "string":
      return value.length <= limits.keyBytesMax;
    default:
      return typeof value === "boolean" || value === null;
  }
}

/** What a feature service is asked with. */
export interface RequestShape {
  readonly featureService: string;
  readonly requestKeys: readonly string[];
  readonly requestFields?: readonly RequestField[];
}

/** The request fields of one row, each of its declared type. */
export type RequestValues = Readonly<Record<string, FeatureValue>>;

/**
 * Refuses a row that lacks a request key or field or brings something else.
 * @throws TributaryError MISSING_KEY, MISSING_FIELD, UNKNOWN_KEY
 */
export function checkRequestKeys(shape: RequestShape, row: Readonly<Record<string, unknown>>): void {
  const { requestKeys, requestFields = [] } = shape;
  for (const name of requestKeys)
    if (row[name] === undefined)
      throw new TributaryError("MISSING_KEY", `key "${name}" of ${expectedBy(shape)} is missing`);
  for (const { name, nullable } of requestFields)
    if (row[name] === undefined && !nullable)
      throw new TributaryError("MISSING_FIELD", `request field "${name}" of ${expectedBy(shape)} is missing`);
  for (const name of Object.keys(row))
    if (!requestKeys.includes(name) && !requestFields.some((field) => field.name === name))
      throw new TributaryError("UNKNOWN_KEY", `"${name}" is not a key of ${expectedBy(shape)}`);
}

function expectedBy({ featureService, requestKeys, requestFields = [] }: RequestShape): string {
  const fields = requestFields.map(({ name, type }) => `${name}: ${type}`);
  return `feature service "${featureService}" (${[...requestKeys, ...fields].join(", ")})`;
}

/** Reads the request fields of rows, which have been found complete. @throws TributaryError BAD_VALUE */
export function requestValues(
  shape: RequestShape,
  rows: readonly Readonly<Record<string, unknown>>[],
): RequestValues[] {
  const { requestFields = [] } = shape;
  if (requestFields.length === 0) return rows.map(() => noValues);
  return rows.map((row) => {
    const values: Record<string, FeatureValue> = {};
    for (const field of requestFields) values[field.name] = requestValue(shape, field, row[field.name] ?? null);
    return values;
  });
}

const noValues: RequestValues = {};

function requestValue({ featureService }: RequestShape, field: RequestField, given: unknown): FeatureValue {
  try {
    return toFeatureValue(field, given);
  } catch (error) {
    if (!(error instanceof TributaryError)) throw error;
    const why = error.message.replace(/^feature "[^"]*" /, "");
    throw new TributaryError(
      "BAD_VALUE",
      `request field "${field.name}" of feature service "${featureService}" ${why}`,
    );
  }
}
