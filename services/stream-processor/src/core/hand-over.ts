import type { LeaseTable } from "./fair-share.ts";

/**
 * What an instance remembers between two looks at the lease table: since when leases are free, and the one it gives away.
 * It gives the next one away only when the last was taken. One that nobody took, and that came back, ends it until
 * instances come or go: whoever lives there does not take any.
 */
export class HandOver {
  readonly #freeSinceMs = new Map<string, number>();
  #nowMs = 0;
  #given: string | undefined;
  #refusedBy: number | undefined;

  observe({ me, holders, instances }: LeaseTable, nowMs: number): void {
    this.#nowMs = nowMs;
    if (this.#refusedBy !== instances) this.#refusedBy = undefined;
    for (const [name, holder] of holders) {
      if (holder === undefined) this.#freeSinceMs.set(name, this.#freeSinceMs.get(name) ?? nowMs);
      else this.#freeSinceMs.delete(name);
      if (holder === undefined || name !== this.#given) continue;
      this.#given = undefined;
      if (holder === me) this.#refusedBy = instances;
    }
  }

  /** True when the lease was free at every look for that long. */
  isFreeFor(name: string, ms: number): boolean {
    return this.#nowMs - (this.#freeSinceMs.get(name) ?? this.#nowMs) >= ms;
  }

  /** True when it is time to give this lease away. */
  begin(name: string, instances: number): boolean {
    if (this.#given !== undefined || this.#refusedBy === instances) return false;
    this.#given = name;
    return true;
  }
}
