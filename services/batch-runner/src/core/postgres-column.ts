import type { FeatureType } from "@tributary/shared/contracts/feature";
import type { Field } from "@tributary/shared/contracts/source";

/**
 * Which PostgreSQL types a declared field takes. Everything is read in PostgreSQL's text form, which is exact (int8,
 * numeric and timestamptz to the microsecond), and cast by the engine as text of a file is: a value that does not fit
 * sets its row aside, a column of a type that never fits stops the run.
 */
export interface PostgresColumn {
  readonly name: string;
  /** `pg_type.typname`: int8, numeric, _text … */
  readonly type: string;
  /** `pg_type.typcategory`: N numbers, A arrays … */
  readonly category: string;
}

/** The type under which the engine keeps the column as landed. */
export function landedType({ type, category }: PostgresColumn): string {
  if (category === "A") return "VARCHAR[]";
  return type === "bytea" ? "BLOB" : "VARCHAR";
}

/** What is wrong with the query's columns for these fields, each with its name; empty when all fit. */
export function columnProblems(fields: readonly Field[], columns: readonly PostgresColumn[]): string[] {
  const byName = new Map(columns.map((column) => [column.name.toLowerCase(), column]));
  const twice = columns.filter((column) => byName.get(column.name.toLowerCase()) !== column);
  const problems = fields.flatMap((field) => {
    const column = byName.get(field.name.toLowerCase());
    if (column === undefined) return field.nullable ? [] : [`lacks column "${field.name}"`];
    if (accepts(field.type, column)) return [];
    return [`gives column "${field.name}" as ${column.type}, which is not ${expected(field.type)}`];
  });
  return [...problems, ...twice.map(({ name }) => `gives two columns named "${name}"`)];
}

const numbers = ["int2", "int4", "int8", "numeric", "float4", "float8"];
const accepted: Readonly<Partial<Record<FeatureType, readonly string[]>>> = {
  bool: ["bool"],
  int32: numbers,
  int64: numbers,
  float32: numbers,
  float64: numbers,
  bytes: ["bytea"],
  timestamp: ["timestamptz", "timestamp"],
  date: ["date"],
  json: ["json", "jsonb"],
};

function accepts(type: FeatureType, column: PostgresColumn): boolean {
  const isArray = column.category === "A";
  if (type === "list") return isArray;
  // The text form of the extension's type is a list that the engine can read.
  if (type === "vector") return isArray || column.type === "vector";
  if (type === "string") return !isArray && column.type !== "bytea";
  return accepted[type]?.includes(column.type) ?? false;
}

function expected(type: FeatureType): string {
  const types = accepted[type];
  if (types !== undefined) return `${type} (${types.join(", ")})`;
  return type === "string" ? "string (any type but arrays and bytea)" : `${type} (an array)`;
}
