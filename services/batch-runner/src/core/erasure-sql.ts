import { timeColumn } from "./change-detection.ts";
import { identifier } from "./sql-text.ts";

/**
 * Erasures as relations of the engine: `_erased` has a key once, with the event time up to which it is erased; `_kept_out` the
 * keys that a run leaves out.
 */
export const erasedTable = "_erased_given";
export const keptOutTable = "_kept_out_given";

/** Tables are filled with text. */
export const erasureRelations: readonly string[] = [
  `CREATE TABLE ${erasedTable} (_key VARCHAR, _until VARCHAR)`,
  `CREATE TABLE ${keptOutTable} (_key VARCHAR)`,
  `CREATE VIEW _erased AS SELECT _key, max(_until::BIGINT) AS _until FROM ${erasedTable} GROUP BY _key`,
  `CREATE VIEW _kept_out AS SELECT DISTINCT _key FROM ${keptOutTable}`,
];

/** Rows of a snapshot that no erasure covers: of an erased key stay only those that are newer in every cell. */
export function survivingRowsQuery(snapshot: string, features: readonly string[]): string {
  return survivors(snapshot, `least(${features.map(timeColumn).join(", ")})`);
}

/** The same of rows that are all of one interval. */
export function survivingIntervalQuery(rows: string, intervalEndMs: number): string {
  return survivors(rows, `${intervalEndMs}::BIGINT`);
}

function survivors(relation: string, eventTime: string): string {
  return `SELECT * FROM ${relation} s
    WHERE NOT EXISTS (SELECT 1 FROM _erased e WHERE e._key = s._key AND ${eventTime} <= e._until)`;
}

/**
 * Computed rows with `_erased`: one of a key that is kept out is counted and has nothing else, so that the key does not come to
 * stand in a file.
 */
export function blankedRowsQuery(typedRows: string, features: readonly string[]): string {
  const columns = ["_key", "_partition", "_problem", ...features].map(
    (name) => `CASE WHEN k._key IS NULL THEN c.${identifier(name)} END AS ${identifier(name)}`,
  );
  return `SELECT ${columns.join(", ")}, k._key IS NOT NULL AS _erased
    FROM (${typedRows}) c LEFT JOIN _kept_out k ON k._key = c._key`;
}
