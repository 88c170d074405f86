import type { ViewedColumn } from "./read-view.ts";

/**
 * Overrides are layers, not races (L1): an upper cell counts while it is PRESENT or NULL_VALUE, which it is within its ttl
 * only. Withdrawn, expired or never written it is transparent, and the next lower one is looked at. Where no layer
 * counts, the lowest says why, as if it stood alone. Nothing is merged, so what lies underneath goes on changing.
 */
export interface Layer<L> {
  readonly layer: L;
  readonly viewed: ViewedColumn;
}

/** For each row the cell that counts, and the layers they are of; the layers come uppermost first, at least one. */
export function lookThrough<L>(layers: readonly Layer<L>[]): { readonly viewed: ViewedColumn; readonly chosen: L[] } {
  const lowest = layers.at(-1) as Layer<L>;
  const chosen = lowest.viewed.values.map((_, row) => layers.find(({ viewed }) => counts(viewed, row)) ?? lowest);
  const take = <N extends keyof ViewedColumn>(name: N) =>
    chosen.map(({ viewed }, row) => viewed[name][row]) as ViewedColumn[N];
  return {
    viewed: {
      values: take("values"),
      statuses: take("statuses"),
      eventTimes: take("eventTimes"),
      agesMs: take("agesMs"),
      fresh: take("fresh"),
    },
    chosen: chosen.map(({ layer }) => layer),
  };
}

function counts({ statuses }: ViewedColumn, row: number): boolean {
  return statuses[row] === "PRESENT" || statuses[row] === "NULL_VALUE";
}
