import type { BenchRecord } from "../../read-dataset.ts";

/** Records as `fill.py` reads them: a line of JSON for every so many, by view and feature. */
export function* fillBatches(records: Iterable<BenchRecord>, key: string, rowsMax: number): Generator<string> {
  let rows: BenchRecord[] = [];
  for (const record of records) {
    rows.push(record);
    if (rows.length < rowsMax) continue;
    yield batchOf(rows, key);
    rows = [];
  }
  if (rows.length > 0) yield batchOf(rows, key);
}

/** All records have the same views with the same features. */
function batchOf(rows: readonly BenchRecord[], key: string): string {
  const views = (rows[0]?.writes ?? []).map(({ shape, cells }, view) => {
    const columns = cells.map(({ feature }, cell) => [
      feature,
      rows.map((row) => row.writes[view]?.cells[cell]?.value),
    ]);
    return [shape.view, Object.fromEntries(columns)];
  });
  const ids = rows.map((row) => Number(row.key));
  return `${JSON.stringify({ key, ids, views: Object.fromEntries(views) })}\n`;
}
