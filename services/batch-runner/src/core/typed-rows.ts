import type { Entity } from "@tributary/shared/contracts/catalog";
import { TributaryError } from "@tributary/shared/contracts/errors";
import type { Feature } from "@tributary/shared/contracts/feature";
import { checkRefusals, type Refusal } from "./column-checks.ts";
import { castOf, refusals, storedType } from "./column-type.ts";
import type { EngineColumn } from "./engine.ts";
import { type KeyColumns, keyExpression, keyRefusals } from "./key-sql.ts";
import { identifier, literal } from "./sql-text.ts";

/**
 * A view's rows as computed: key, partition, why the row is withheld (or NULL), and every feature cast to its declared
 * type. A value that does not fit withholds its key; it is never silently NULL.
 */
export interface TypedView {
  readonly view: string;
  readonly entity: Entity;
  readonly features: readonly Feature[];
  readonly partitions: number;
}

/** Bytes of one row's big values: as msgpack, at most 2.3 times their text, a row has to fit into a chunk. */
export const rowBytesMax = 128 * 1024;

/** The query that types the rows of `sql`, whose columns are `columns`. @throws TributaryError INVALID_DEFINITION naming columns */
export function typedRowsQuery(typed: TypedView, sql: string, columns: readonly EngineColumn[]): string {
  const types = checkColumns(typed, columns);
  const keyColumns: KeyColumns = (name) => ({ column: `raw.${identifier(name)}`, type: types.get(name) ?? "" });
  const features = typed.features.map((feature, i) => ({
    feature,
    raw: `_raw${i}`,
    actual: types.get(feature.name) ?? "",
  }));
  const casts = features.map(({ feature, raw, actual }) => {
    const column = `raw.${identifier(feature.name)}`;
    return `${column} AS ${raw}, ${castOf(feature, column, actual)} AS ${identifier(feature.name)}`;
  });
  const badKey = reason(keyRefusals(typed.entity, keyColumns));
  const badValue = features.flatMap(({ feature, raw, actual }) => {
    const cast = identifier(feature.name);
    const refused = [...refusals(feature, raw, cast, actual), ...checkRefusals(feature, cast)];
    return refused.map((refusal) => named(feature, refusal));
  });
  return `SELECT _key, trib_partition(_key, ${typed.partitions}) AS _partition,
      coalesce(_bad_key, ${reason([...badValue, tooBig(typed.features)])}) AS _problem,
      ${typed.features.map(({ name }) => identifier(name)).join(", ")}
    FROM (SELECT CASE WHEN _bad_key IS NULL THEN _text END AS _key, * EXCLUDE (_text)
      FROM (SELECT ${keyExpression(typed.entity, keyColumns)} AS _text, ${badKey} AS _bad_key, ${casts.join(", ")}
        FROM (${sql}\n) raw))`;
}

/** Type by column name, for exactly the declared columns. Names are compared as SQL does, without case. */
function checkColumns(typed: TypedView, columns: readonly EngineColumn[]): ReadonlyMap<string, string> {
  const declared = [...typed.entity.keys.map((key) => key.name), ...typed.features.map((feature) => feature.name)];
  for (const feature of typed.features) storedType(feature, `feature "${feature.name}" of view "${typed.view}"`);
  const actual = new Map(columns.map((column) => [column.name.toLowerCase(), column.type]));
  const lower = new Set(declared.map((name) => name.toLowerCase()));
  const missing = declared.filter((name) => !actual.has(name.toLowerCase()));
  const extra = columns.filter((column) => !lower.has(column.name.toLowerCase())).map((column) => column.name);
  const twice = declared.filter((name, i) =>
    declared.some((other, j) => j < i && other.toLowerCase() === name.toLowerCase()),
  );
  const problems = [
    ...missing.map((name) => `lacks column "${name}"`),
    ...extra.map((name) => `returns column "${name}", which is neither a join key nor a feature`),
    ...twice.map((name) => `has two columns that SQL calls "${name}"`),
    ...(actual.size < columns.length ? ["returns one column name twice"] : []),
  ];
  if (problems.length > 0) {
    throw new TributaryError("INVALID_DEFINITION", `the SQL of view "${typed.view}" ${problems.join("; it ")}`);
  }
  return new Map(declared.map((name) => [name, actual.get(name.toLowerCase()) ?? ""]));
}

/** Why a row is refused, naming the first reason; NULL when it is fine. */
export function reason(refused: readonly Refusal[]): string {
  return `CASE ${refused.map(({ when, why }) => `WHEN ${when} THEN ${literal(why)}`).join(" ")} END`;
}

function named(feature: Pick<Feature, "name">, refusal: Refusal): Refusal {
  return { when: refusal.when, why: `feature "${feature.name}" ${refusal.why}` };
}

function tooBig(features: readonly Feature[]): Refusal {
  const sizes = features.flatMap((feature) => {
    const column = identifier(feature.name);
    if (feature.type === "string" || feature.type === "json") return [`coalesce(strlen(${column}), 0)`];
    if (feature.type === "bytes") return [`coalesce(octet_length(${column}), 0)`];
    if (feature.type === "list") return [`coalesce(strlen(${column}::VARCHAR), 0)`];
    if (feature.type === "vector") return [`coalesce(len(${column}) * 4, 0)`];
    return [];
  });
  if (sizes.length < 2) return { when: "false", why: "" };
  return { when: `${sizes.join(" + ")} > ${rowBytesMax}`, why: `the row is larger than ${rowBytesMax} bytes` };
}

/** Rows that no longer name one entity each, and rows with a problem: their keys stay as published. */
export function withheldQuery(relation: string): string {
  return `SELECT _key, min(_partition) AS _partition, coalesce(min(_problem), 'more than one row for this key') AS _problem, count(*) AS _rows
    FROM ${relation} WHERE _key IS NOT NULL GROUP BY _key HAVING count(*) > 1 OR count(_problem) > 0`;
}

/** The rows of `relation` whose key is not in `withheld`: good, and each key once. */
export function goodRowsQuery(relation: string, withheld: string): string {
  return `SELECT * EXCLUDE (_problem) FROM ${relation} c
    WHERE _key IS NOT NULL AND NOT EXISTS (SELECT 1 FROM ${withheld} w WHERE w._key = c._key)`;
}
