import type { Catalog } from "@tributary/shared/contracts/catalog";

/** A table that feeds batch views of an erased entity: its rows are its owner's, and nobody else may delete them. */
export interface FeedingSource {
  readonly source: string;
  /** File patterns, or the connection whose query it is. */
  readonly where: readonly string[];
  readonly views: readonly string[];
}

/**
 * By the current catalog. Which of a table's rows become rows of a key only the SQL of the views knows, so all that can be told
 * is where to look.
 */
export function feedingSources({ views, sources }: Catalog, entity: string): FeedingSource[] {
  const fed = new Map<string, string[]>();
  for (const view of Object.values(views)) {
    if (view.lane !== "batch" || view.entity !== entity) continue;
    for (const name of view.sources) fed.set(name, [...(fed.get(name) ?? []), view.name]);
  }
  return [...fed].map(([source, names]) => {
    const table = sources[source];
    if (table === undefined || table.kind !== "table") return { source, where: [], views: names };
    const where = table.format === "postgres" ? [`connection ${table.connection}`] : table.files;
    return { source, where, views: names };
  });
}
