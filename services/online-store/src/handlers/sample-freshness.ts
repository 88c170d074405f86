import { viewColumn } from "@tributary/shared/merge/read-view";
import type { StoredColumn } from "@tributary/shared/merge/stored-column";
import type { FreshnessMonitor } from "../core/freshness-monitor.ts";
import type { PlannedCell, PlannedColumn } from "../core/read-plan.ts";

/** What a read has in hand when its columns are built. */
export interface SampledRead {
  readonly columns: readonly PlannedColumn[];
  readonly stored: (cell: PlannedCell) => StoredColumn;
  readonly nowMs: number;
}

export type SampleRead = (read: SampledRead) => void;

/**
 * Of each read one cell of each of its views, in a row drawn at random: what it costs grows neither with rows nor with features,
 * and each row of each read is as likely to be counted as any other of it. Judged by the rule that reads are answered by.
 * @param random in [0, 1)
 */
export function freshnessSampler(monitor: FreshnessMonitor, random: () => number = Math.random): SampleRead {
  const known = new WeakMap<readonly PlannedColumn[], readonly PlannedCell[]>();
  return ({ columns, stored, nowMs }) => {
    const cells = known.get(columns) ?? oneOfEachView(columns);
    known.set(columns, cells);
    const draw = random();
    for (const cell of cells) {
      const column = stored(cell);
      const record = column.records[Math.floor(draw * column.records.length)];
      if (record === undefined) continue;
      const { agesMs, fresh } = viewColumn(cell, { ...column, records: [record] }, nowMs);
      monitor.sawCell(cell, { ageMs: agesMs[0] ?? null, fresh: fresh[0] === true });
    }
  };
}

/** A view that is read by two mappings of its keys is two. */
function oneOfEachView(columns: readonly PlannedColumn[]): readonly PlannedCell[] {
  const first = new Map<string, PlannedCell>();
  for (const cell of columns.flatMap((column) => [column, ...column.over])) {
    const id = `${cell.fetch} ${cell.view}`;
    if (!first.has(id)) first.set(id, cell);
  }
  return [...first.values()];
}
