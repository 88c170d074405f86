import { TributaryError } from "@tributary/shared/contracts/errors";
import { batchElementTypes, type Feature } from "@tributary/shared/contracts/feature";
import { limits } from "@tributary/shared/contracts/limits";
import type { Refusal } from "./column-checks.ts";
import { jsonText, plainOfJson } from "./json-column.ts";

/**
 * What each declared type is in SQL (B4: the cast comes before the comparison, so a column that drifts from INTEGER to
 * DOUBLE does not make every row look changed). A cast that fails gives NULL here; `refusals` tells that NULL from a real
 * one and names why. Floats lose the sign of zero, timestamps what is finer than a millisecond.
 */
export type ColumnShape = Pick<Feature, "type" | "of" | "dimension" | "as">;

/** Bytes of one json, bytes or list value. */
export const bigValueBytesMax = 64 * 1024;
const safeIntegerMax = String(Number.MAX_SAFE_INTEGER);
const dateMsMax = "8640000000000000";

/** The type that Parquet files of the lake hold. @throws TributaryError INVALID_DEFINITION for types the batch lane has not */
export function storedType(shape: ColumnShape, where: string): string {
  switch (shape.type) {
    case "bool":
      return "BOOLEAN";
    case "int32":
      return "INTEGER";
    case "int64":
      return "BIGINT";
    case "float32":
      return "FLOAT";
    case "float64":
      return "DOUBLE";
    case "string":
    case "json":
      return "VARCHAR";
    case "bytes":
      return "BLOB";
    case "timestamp":
      return "TIMESTAMP";
    case "date":
      return "DATE";
    case "vector":
      return "FLOAT[]";
    case "list":
      if (shape.of !== undefined && batchElementTypes.includes(shape.of))
        return `${storedType({ type: shape.of }, where)}[]`;
      throw unsupported(where, `list of ${shape.of ?? "nothing"}`);
    case "map":
      throw unsupported(where, "map");
    default:
      return shape.type satisfies never;
  }
}

function unsupported(where: string, what: string): TributaryError {
  return new TributaryError(
    "INVALID_DEFINITION",
    `${where} is a ${what}, which the batch lane does not take; use json`,
  );
}

/** The column cast to its stored type; NULL where that fails. `actual` is the engine's type of the column. */
export function castOf(shape: ColumnShape, column: string, actual: string): string {
  if (actual === "JSON" && shape.type !== "json") {
    const plain = plainOfJson(shape.type, column);
    return castOf(shape, plain.column, plain.type);
  }
  const stored = storedType(shape, column);
  switch (shape.type) {
    case "float32":
    case "float64":
      return `(try_cast(${column} AS ${stored}) + 0::${stored})`;
    case "timestamp":
      return `date_trunc('milliseconds', ${castToTimestamp(column, actual)})`;
    case "json":
      return castToJson(column, actual);
    case "vector":
      return withoutSignedZero(column, "FLOAT");
    case "list":
      return shape.of === "float32" || shape.of === "float64"
        ? withoutSignedZero(column, stored.slice(0, -2))
        : `try_cast(${column} AS ${stored})`;
    default:
      return `try_cast(${column} AS ${stored})`;
  }
}

function withoutSignedZero(column: string, element: string): string {
  return `list_transform(try_cast(${column} AS ${element}[]), lambda x: x + 0::${element})`;
}

/** Text may carry a zone, which a plain cast would drop silently; whole numbers are epoch milliseconds. */
function castToTimestamp(column: string, actual: string): string {
  if (actual === "VARCHAR") return `try_cast(${column} AS TIMESTAMPTZ)::TIMESTAMP`;
  if (isWhole(actual)) return `epoch_ms(${column}::BIGINT)`;
  return `try_cast(${column} AS TIMESTAMP)`;
}

/** Minified text; JSON null is NULL. */
function castToJson(column: string, actual: string): string {
  const text = actual === "VARCHAR" || actual === "JSON" ? `${column}::VARCHAR` : `to_json(${column})::VARCHAR`;
  return `CASE WHEN json_valid(${text}) THEN nullif(json(${text})::VARCHAR, 'null') END`;
}

function isWhole(actual: string): boolean {
  return /^(U?(TINY|SMALL|BIG)INT|U?INTEGER)$/.test(actual);
}

/** Why a value cannot be taken, for a column `raw` of the engine's type `actual` that became `cast`. */
export function refusals(shape: ColumnShape, raw: string, cast: string, actual: string): readonly Refusal[] {
  const plain = actual === "JSON" ? plainOfJson(shape.type, raw) : { column: raw, type: actual };
  return [
    { when: `${isPresent(shape, raw, actual)} AND ${cast} IS NULL`, why: `is not ${shape.type}` },
    ...refusalsOfType(shape, plain.column, cast, plain.type),
  ];
}

/** JSON null is NULL. */
function isPresent(shape: ColumnShape, raw: string, actual: string): string {
  if (shape.type === "json" && (actual === "VARCHAR" || actual === "JSON"))
    return `nullif(trim(${raw}::VARCHAR), 'null') IS NOT NULL`;
  return `${actual === "JSON" ? jsonText(raw) : raw} IS NOT NULL`;
}

function refusalsOfType(shape: ColumnShape, raw: string, cast: string, actual: string): readonly Refusal[] {
  switch (shape.type) {
    case "bool":
      return [];
    case "int32":
      return lossy(raw, cast, actual);
    case "int64":
      return shape.as === "bigint" ? lossyWide(raw, cast, actual) : [...lossy(raw, cast, actual), unsafe(cast)];
    case "float32":
    case "float64":
      return [{ when: `NOT isfinite(${cast})`, why: "is not a finite number" }];
    case "timestamp":
      return [{ when: `NOT isfinite(${cast}) OR abs(epoch_ms(${cast})) > ${dateMsMax}`, why: "is not a timestamp" }];
    case "date":
      return [{ when: `NOT isfinite(${cast})`, why: "is not a date" }];
    case "string":
      return [tooLong(cast, limits.stringBytesMax)];
    case "json":
      return [tooLong(cast, bigValueBytesMax)];
    case "bytes":
      return [{ when: `octet_length(${cast}) > ${bigValueBytesMax}`, why: `is longer than ${bigValueBytesMax} bytes` }];
    case "vector":
      return [
        { when: `len(${cast}) <> ${shape.dimension ?? 0}`, why: `has not ${shape.dimension ?? 0} elements` },
        {
          when: `len(list_filter(${cast}, lambda x: x IS NULL OR NOT isfinite(x))) > 0`,
          why: "has an element that is not a finite number",
        },
      ];
    case "list":
      return refusalsOfList(shape, raw, cast);
    case "map":
      return [];
    default:
      return shape.type satisfies never;
  }
}

/** A cast to a whole number rounds; a value that is none is refused instead. */
function lossy(raw: string, cast: string, actual: string): readonly Refusal[] {
  if (isWhole(actual) || actual === "HUGEINT" || actual === "BOOLEAN") return [];
  return [{ when: `try_cast(${raw} AS DOUBLE) <> ${cast}::DOUBLE`, why: "is not a whole number" }];
}

/** The same over all 64 bits, where a double is not exact any more: text must spell a whole number, a float be small. */
function lossyWide(raw: string, cast: string, actual: string): readonly Refusal[] {
  if (actual === "VARCHAR")
    return [{ when: `NOT regexp_full_match(trim(${raw}), '[+-]?[0-9]+([.]0*)?')`, why: "is not a whole number" }];
  if (actual !== "DOUBLE" && actual !== "FLOAT") return actual.startsWith("DECIMAL") ? inexact(raw, cast) : [];
  const why = "is a float beyond ±2^53, which is not exact; cast it to BIGINT sooner";
  return [...lossy(raw, cast, actual), { ...unsafe(cast), why }];
}

function inexact(raw: string, cast: string): readonly Refusal[] {
  return [{ when: `${raw} <> ${cast}`, why: "is not a whole number" }];
}

function unsafe(cast: string): Refusal {
  return {
    when: `${cast} NOT BETWEEN -${safeIntegerMax} AND ${safeIntegerMax}`,
    why: "is a whole number beyond ±2^53",
  };
}

function tooLong(cast: string, bytesMax: number): Refusal {
  return { when: `strlen(${cast}) > ${bytesMax}`, why: `is longer than ${bytesMax} bytes` };
}

function refusalsOfList(shape: ColumnShape, raw: string, cast: string): readonly Refusal[] {
  const nulls = (list: string) => `len(list_filter(${list}, lambda x: x IS NULL))`;
  const any = (test: string) => `len(list_filter(${cast}, lambda x: ${test})) > 0`;
  const isFloat = shape.of === "float32" || shape.of === "float64";
  const isInteger = shape.of === "int32" || shape.of === "int64";
  return [
    { when: `${nulls(raw)} <> ${nulls(cast)}`, why: `has an element that is not ${shape.of ?? "json"}` },
    { when: `strlen(${cast}::VARCHAR) > ${bigValueBytesMax}`, why: `is longer than ${bigValueBytesMax} bytes` },
    ...(isInteger
      ? [
          {
            when: `try_cast(${raw} AS DOUBLE[]) <> ${cast}::DOUBLE[]`,
            why: "has an element that is not a whole number",
          },
        ]
      : []),
    ...(isFloat ? [{ when: any("NOT isfinite(x)"), why: "has an element that is not a finite number" }] : []),
    ...(shape.of === "int64" && shape.as !== "bigint"
      ? [{ when: any(unsafe("x").when), why: "has an element beyond ±2^53" }]
      : []),
  ];
}
