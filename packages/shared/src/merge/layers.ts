import type { ViewedCell } from "./read-view.ts";

/**
 * Overrides are layers, not races (L1): an upper cell counts while it is PRESENT or NULL_VALUE, which it is within its ttl
 * only. Withdrawn, expired or never written it is transparent, and the next lower one is looked at. Where no layer
 * counts, the lowest says why, as if it stood alone. Nothing is merged, so what lies underneath goes on changing.
 */
export interface Layer<L> {
  readonly layer: L;
  /** One entry a row. */
  readonly viewed: readonly ViewedCell[];
}

/** For each row the cell that counts and its layer; the layers come uppermost first, at least one. */
export function lookThrough<L>(
  layers: readonly Layer<L>[],
): readonly { readonly layer: L; readonly viewed: ViewedCell }[] {
  const lowest = layers.at(-1) as Layer<L>;
  return lowest.viewed.map((viewed, row) => {
    const { layer, viewed: rows } = layers.find((one) => counts(one.viewed[row])) ?? lowest;
    return { layer, viewed: rows[row] ?? viewed };
  });
}

function counts(cell: ViewedCell | undefined): boolean {
  return cell?.status === "PRESENT" || cell?.status === "NULL_VALUE";
}
