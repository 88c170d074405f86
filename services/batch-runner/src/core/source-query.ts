import type { FileTable, TableSource } from "@tributary/shared/contracts/source";
import type { Refusal } from "./column-checks.ts";
import { castOf, refusals, storedType } from "./column-type.ts";
import type { EngineColumn } from "./engine.ts";
import { identifier, literal } from "./sql-text.ts";
import { reason } from "./typed-rows.ts";

/**
 * Refinement: raw files → rows of the source's declared types, each once, and the rows set aside with their reason.
 * Of rows that are equal in the `unique` fields the one of the last file by name stays; inside one file the greatest.
 */
export function scanOf(source: FileTable, files: readonly string[]): string {
  const list = `[${files.map(literal).join(", ")}]`;
  switch (source.format) {
    case "parquet":
      return `read_parquet(${list}, union_by_name = true, filename = '_file')`;
    case "csv":
      return `read_csv(${list}, header = true, all_varchar = true, union_by_name = true, filename = '_file')`;
    case "json":
      return jsonScan(source, list);
    default:
      return source.format satisfies never;
  }
}

/** Nothing is inferred from a sample: each field is the JSON that stands under its name, exactly. */
function jsonScan({ fields }: FileTable, list: string): string {
  const columns = fields.map(({ name }) => `json -> ${literal(`$."${name}"`)} AS ${identifier(name)}`);
  return `(SELECT ${columns.join(", ")}, json_type(json) = 'OBJECT' AS ${objectColumn}, _file
    FROM read_json_objects(${list}, filename = '_file'))`;
}

const objectColumn = "_is_object";

/** For a JSON file: how many records it holds, and for each field in how many it stands. */
export function jsonFieldsQuery(source: FileTable, file: string): string {
  const counts = source.fields.map(({ name }) => `count(${identifier(name)})::DOUBLE`);
  return `SELECT count(*)::DOUBLE, ${counts.join(", ")} FROM ${scanOf(source, [file])}`;
}

/** Every declared field typed, with `_problem` and `_file`. */
export function typedSourceQuery(source: TableSource, scan: string, columns: readonly EngineColumn[]): string {
  const types = new Map(columns.map(({ name, type }) => [name.toLowerCase(), type]));
  const fields = source.fields.map((field, i) => ({
    field,
    raw: `_raw${i}`,
    actual: types.get(field.name.toLowerCase()) ?? "",
  }));
  const casts = fields.map(({ field, raw, actual }) => {
    const stored = storedType(field, `field "${field.name}" of source "${source.name}"`);
    // A nullable field that no file has.
    const column = actual === "" ? `NULL::${stored}` : `raw.${identifier(field.name)}`;
    return `${column} AS ${raw}, ${castOf(field, column, actual)} AS ${identifier(field.name)}`;
  });
  const refused = fields.flatMap(({ field, raw, actual }): Refusal[] => {
    const checks = field.type === "string" ? [] : refusals(field, raw, identifier(field.name), actual);
    const missing = field.nullable ? [] : [{ when: `${identifier(field.name)} IS NULL`, why: "is missing" }];
    return [...checks, ...missing].map(({ when, why }) => ({ when, why: `field "${field.name}" ${why}` }));
  });
  const isJson = source.format === "json";
  const notObject = isJson ? [{ when: `NOT ${objectColumn}`, why: "the record is not an object" }] : [];
  return `SELECT ${fieldList(source)}, _file, ${reason([...notObject, ...refused])} AS _problem
    FROM (SELECT ${casts.join(", ")}, ${isJson ? `raw.${objectColumn}, ` : ""}raw._file AS _file FROM ${scan} raw)`;
}

/** The good rows, de-duplicated. */
export function refinedQuery(source: TableSource, typed: string): string {
  const good = `SELECT * FROM ${typed} WHERE _problem IS NULL`;
  if (source.unique === undefined || source.unique.length === 0) return `SELECT ${fieldList(source)} FROM (${good})`;
  const order = source.fields.map((field) => `${identifier(field.name)} DESC NULLS LAST`).join(", ");
  return `SELECT ${fieldList(source)} FROM (${good}) QUALIFY
    row_number() OVER (PARTITION BY ${source.unique.map(identifier).join(", ")} ORDER BY _file DESC, ${order}) = 1`;
}

/** Number and fingerprint of the rows, whatever their order. The engine's hash may change with its version: then they count as new. */
export function contentQuery(typed: string): string {
  return `SELECT count(*), sum(hash(t)::HUGEINT) FROM ${typed} t`;
}

export function quarantineQuery(typed: string): string {
  return `SELECT * RENAME (_problem AS reason, _file AS file) FROM ${typed} WHERE _problem IS NOT NULL`;
}

function fieldList(source: TableSource): string {
  return source.fields.map((field) => identifier(field.name)).join(", ");
}
