/**
 * Counted failures by stream sequence, in memory and bounded: the oldest is forgotten first. A restart forgets all, so
 * a message may get more tries than its limit, never fewer. A `suspect` failed together with others; alone it shows.
 */
export class FailureCounts {
  readonly #counts = new Map<number, number>();
  readonly #suspects = new Set<number>();
  readonly #sizeMax: number;

  constructor(sizeMax = 10_000) {
    this.#sizeMax = sizeMax;
  }

  /** Failures so far, this one included. */
  fail(sequence: number): number {
    const count = (this.#counts.get(sequence) ?? 0) + 1;
    this.#counts.delete(sequence);
    this.#counts.set(sequence, count);
    for (const oldest of this.#counts.keys()) {
      if (this.#counts.size <= this.#sizeMax) break;
      this.forget(oldest);
    }
    return count;
  }

  suspect(sequence: number): void {
    if (this.#suspects.size < this.#sizeMax) this.#suspects.add(sequence);
  }

  isSuspect(sequence: number): boolean {
    return this.#suspects.has(sequence);
  }

  forget(sequence: number): void {
    this.#counts.delete(sequence);
    this.#suspects.delete(sequence);
  }
}
