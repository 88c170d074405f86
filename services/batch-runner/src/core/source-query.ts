import type { TableSource } from "@tributary/shared/contracts/source";
import { castOf, type Refusal, refusals, storedType } from "./column-type.ts";
import type { EngineColumn } from "./engine.ts";
import { identifier, literal } from "./sql-text.ts";
import { reason } from "./typed-rows.ts";

/**
 * Refinement: raw files → rows of the source's declared types, each once, and the rows set aside with their reason.
 * Of rows that are equal in the `unique` fields the one of the last file by name stays; inside one file the greatest.
 */
export function scanOf(source: TableSource, files: readonly string[]): string {
  const list = `[${files.map(literal).join(", ")}]`;
  return source.format === "parquet"
    ? `read_parquet(${list}, union_by_name = true, filename = '_file')`
    : `read_csv(${list}, header = true, all_varchar = true, union_by_name = true, filename = '_file')`;
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
  return `SELECT ${fieldList(source)}, _file, ${reason(refused)} AS _problem
    FROM (SELECT ${casts.join(", ")}, raw._file AS _file FROM ${scan} raw)`;
}

/** The good rows, de-duplicated. */
export function refinedQuery(source: TableSource, typed: string): string {
  const good = `SELECT * FROM ${typed} WHERE _problem IS NULL`;
  if (source.unique === undefined || source.unique.length === 0) return `SELECT ${fieldList(source)} FROM (${good})`;
  const order = source.fields.map((field) => `${identifier(field.name)} DESC NULLS LAST`).join(", ");
  return `SELECT ${fieldList(source)} FROM (${good}) QUALIFY
    row_number() OVER (PARTITION BY ${source.unique.map(identifier).join(", ")} ORDER BY _file DESC, ${order}) = 1`;
}

export function quarantineQuery(typed: string): string {
  return `SELECT * RENAME (_problem AS reason, _file AS file) FROM ${typed} WHERE _problem IS NOT NULL`;
}

function fieldList(source: TableSource): string {
  return source.fields.map((field) => identifier(field.name)).join(", ");
}
