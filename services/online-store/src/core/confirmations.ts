import { confirmationId } from "./confirmation.ts";

/** What counts as confirmed at one look, as reads want it: by view, of all partitions at once. */
export class Confirmations {
  readonly #partitions: readonly ReadonlyMap<string, number>[];
  readonly #known = new Map<string, Float64Array>();

  /** @param partitions of each: `confirmationId` → confirmed up to, epoch ms */
  constructor(partitions: readonly ReadonlyMap<string, number>[]) {
    this.#partitions = partitions;
  }

  /** By partition: epoch ms up to which the view is confirmed; −Infinity where it is not. */
  of(view: string, viewVersion: number): Float64Array {
    const id = confirmationId(view, viewVersion);
    const known =
      this.#known.get(id) ??
      Float64Array.from(this.#partitions, (confirmed) => confirmed.get(id) ?? Number.NEGATIVE_INFINITY);
    this.#known.set(id, known);
    return known;
  }
}
