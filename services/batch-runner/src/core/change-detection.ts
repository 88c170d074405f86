import type { BatchRunCounts } from "@tributary/shared/contracts/status";
import { identifier } from "./sql-text.ts";

/**
 * Change detection: which cells of a view differ from what was last *published*.
 *
 * `_current` (this run's rows, cast to their declared types) is joined in full with `_published` (the snapshot, which keeps
 * every cell's value and version) into the next snapshot. A cell that differs gets this run's version; one that does not,
 * or only within its tolerance, keeps the published value and version, so drift under the tolerance adds up until it shows
 * (B4). A key that is gone becomes a tombstone, which stays. A withheld key stays as published. The delta is what bears
 * this run's number: only the cells that differ (B2).
 */
export interface ComparedFeature {
  readonly name: string;
  /** SQL type of the stored column. */
  readonly stored: string;
  /** Numbers only: a change not greater than this is suppressed. */
  readonly tolerance?: number | undefined;
  /** False when the published snapshot holds no column of this type for it: then every cell counts as changed. */
  readonly comparable: boolean;
}

export interface Comparison {
  readonly features: readonly ComparedFeature[];
  readonly run: number;
  readonly intervalEndMs: number;
}

/** What became of a row. `gone`: an old tombstone; `withheld`: kept as published. */
export type RowChange = "inserted" | "updated" | "deleted" | "suppressed" | "unchanged" | "withheld" | "gone";

/** Companion columns of a feature in a snapshot: its cell's version. Feature names hold no colon. */
export const timeColumn = (feature: string) => identifier(`${feature}:time`);
export const runColumn = (feature: string) => identifier(`${feature}:run`);
/** In a delta: whether the cell differs and travels. */
export const sentColumn = (feature: string) => identifier(`${feature}:sent`);

const liveBefore = "(p._key IS NOT NULL AND NOT p._gone)";

/** The next snapshot as a query over the relations `_current`, `_published` and `_withheld`. */
export function nextSnapshotQuery(comparison: Comparison): string {
  const { features } = comparison;
  const cells = features.flatMap((feature, i) => cellColumns(comparison, feature, i));
  return `SELECT _key, _partition, _gone, _change, ${cells.join(", ")}
    FROM (SELECT *, ${rowChange(features)} AS _change, NOT _present AND NOT _withheld AS _gone
    FROM (SELECT coalesce(c._key, p._key) AS _key, coalesce(c._partition, p._partition) AS _partition,
      c._key IS NOT NULL AS _present, coalesce(p._gone, false) AS _was_gone, ${liveBefore} AS _live_before,
      w._key IS NOT NULL AND p._key IS NOT NULL AND NOT p._gone AS _withheld,
      ${features.flatMap(comparedColumns).join(", ")}
    FROM _current c FULL JOIN _published p ON c._key = p._key LEFT JOIN _withheld w ON w._key = p._key))`;
}

function comparedColumns(feature: ComparedFeature, i: number): string[] {
  const name = identifier(feature.name);
  const old = feature.comparable ? `p.${name}` : `NULL::${feature.stored}`;
  const changed = feature.comparable
    ? `NOT ${liveBefore} OR p.${timeColumn(feature.name)} IS NULL OR (${differs(feature, `c.${name}`, `p.${name}`)})`
    : "true";
  return [
    `c.${name} AS _new${i}`,
    `${old} AS _old${i}`,
    `${feature.comparable ? `p.${timeColumn(feature.name)}` : "NULL::BIGINT"} AS _time${i}`,
    `${feature.comparable ? `p.${runColumn(feature.name)}` : "NULL::BIGINT"} AS _run${i}`,
    `c._key IS NOT NULL AND (${changed}) AS _changed${i}`,
  ];
}

/** NULL-safe; −0.0 equals 0.0. Non-finite floats are withheld before. */
function differs(feature: ComparedFeature, current: string, published: string): string {
  const distinct = `${current} IS DISTINCT FROM ${published}`;
  if (feature.tolerance === undefined || feature.tolerance === 0) return distinct;
  return `${distinct} AND NOT coalesce(abs(${current}::DOUBLE - ${published}::DOUBLE) <= ${feature.tolerance}::DOUBLE, false)`;
}

function rowChange(features: readonly ComparedFeature[]): string {
  const any = (test: (i: number) => string) => features.map((_, i) => test(i)).join(" OR ");
  return `CASE WHEN NOT _present THEN CASE WHEN _was_gone THEN 'gone' WHEN _withheld THEN 'withheld' ELSE 'deleted' END
    WHEN NOT _live_before THEN 'inserted'
    WHEN ${any((i) => `_changed${i}`)} THEN 'updated'
    WHEN ${any((i) => `_new${i} IS DISTINCT FROM _old${i}`)} THEN 'suppressed'
    ELSE 'unchanged' END`;
}

function cellColumns(comparison: Comparison, feature: ComparedFeature, i: number): string[] {
  // A view version or feature that comes back finds cells of keys that were deleted while it was away.
  const buriedAgain = feature.comparable ? "" : " OR _change = 'gone'";
  const fresh = `_changed${i} OR _change = 'deleted'${buriedAgain}`;
  return [
    `CASE WHEN _changed${i} THEN _new${i} WHEN _change = 'deleted' THEN NULL ELSE _old${i} END AS ${identifier(feature.name)}`,
    `CASE WHEN ${fresh} THEN ${comparison.intervalEndMs}::BIGINT ELSE _time${i} END AS ${timeColumn(feature.name)}`,
    `CASE WHEN ${fresh} THEN ${comparison.run}::BIGINT ELSE _run${i} END AS ${runColumn(feature.name)}`,
  ];
}

/** The rows of a snapshot that the run publishes: those with a cell of its own, old tombstones for a returning feature too. */
export function ofRunQuery({ features, run }: Pick<Comparison, "features" | "run">): string {
  const own = features.map(({ name }) => `${runColumn(name)} = ${run}`).join(" OR ");
  return `_change IN ('inserted', 'updated', 'deleted') OR (_change = 'gone' AND (${own}))`;
}

/** An empty `_published` relation, for a view that was never published. */
export function emptySnapshotQuery(features: readonly ComparedFeature[]): string {
  const cells = features.flatMap(({ name, stored }) => [
    `NULL::${stored} AS ${identifier(name)}`,
    `NULL::BIGINT AS ${timeColumn(name)}`,
    `NULL::BIGINT AS ${runColumn(name)}`,
  ]);
  return `SELECT NULL::VARCHAR AS _key, NULL::INTEGER AS _partition, false AS _gone, ${cells.join(", ")} WHERE false`;
}

export type ChangeCounts = Readonly<Partial<Record<RowChange, number>>>;

/** The run's accounting: inserted + updated + deleted + unchanged + suppressed = rows of published ∪ current, withheld apart. */
export function countsOf(changes: ChangeCounts, rowsWithheld: number): BatchRunCounts {
  const of = (change: RowChange) => changes[change] ?? 0;
  const [inserted, updated, deleted] = [of("inserted"), of("updated"), of("deleted")];
  const [unchanged, suppressed] = [of("unchanged"), of("suppressed")];
  return {
    rows: inserted + updated + unchanged + suppressed,
    inserted,
    updated,
    deleted,
    unchanged,
    suppressed,
    published: inserted + updated + deleted,
    withheld: rowsWithheld,
  };
}

/** The share of the published rows that this run would delete, in [0, 1]. */
export function deleteShare(changes: ChangeCounts): number {
  const of = (change: RowChange) => changes[change] ?? 0;
  const before = of("updated") + of("deleted") + of("unchanged") + of("suppressed") + of("withheld");
  return before === 0 ? 0 : of("deleted") / before;
}
