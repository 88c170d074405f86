import type { Erasure } from "@tributary/shared/contracts/erasure";

/**
 * Every erasure that was ever asked for, and how the batch lane stands to it.
 *
 * What is published already is rewritten once, behind which stands the receipt. But the tables that feed a view may hold rows of
 * the key as before, and which of them become a row of the key only the view's SQL knows. So runs keep the key out until an
 * operator lifts the erasure; and for ever out of intervals that the erasure covers: the store would drop such a row, and the
 * snapshot would call it published.
 */
export class ErasureBook {
  readonly #erasures = new Map<string, Erasure>();
  readonly #byEntity = new Map<string, Erasure[]>();
  readonly #lifted = new Set<string>();
  readonly #receipts = new Set<string>();

  add(erasure: Erasure): void {
    if (this.#erasures.has(erasure.id)) return;
    this.#erasures.set(erasure.id, erasure);
    const { entity } = erasure;
    const others = this.#byEntity.get(entity);
    if (others === undefined) this.#byEntity.set(entity, [erasure]);
    else others.push(erasure);
  }

  lift(id: string): void {
    this.#lifted.add(id);
  }

  /** This service has carried it out. */
  receive(id: string): void {
    this.#receipts.add(id);
  }

  find(id: string): Erasure | undefined {
    return this.#erasures.get(id);
  }

  of(entity: string): readonly Erasure[] {
    return this.#byEntity.get(entity) ?? [];
  }

  /** Asked for and not carried out, the first first. */
  pending(max: number): readonly Erasure[] {
    const pending: Erasure[] = [];
    for (const erasure of this.#erasures.values()) {
      if (pending.length === max) break;
      if (!this.#receipts.has(erasure.id)) pending.push(erasure);
    }
    return pending;
  }

  /** Whether a run of this interval keeps the key out. */
  keepsOut({ id, eventTime }: Pick<Erasure, "id" | "eventTime">, intervalEndMs: number): boolean {
    return !this.#lifted.has(id) || intervalEndMs <= eventTime;
  }
}
