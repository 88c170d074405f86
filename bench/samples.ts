/**
 * Every measured value, kept, so that percentiles are exact. Room for a million values is 8 MB; more are refused, because a
 * benchmark that silently drops values tells what it likes.
 */
const samplesMax = 4_000_000;

export class Samples {
  #values = new Float64Array(1_024);
  #count = 0;
  readonly #max: number;

  constructor(max = samplesMax) {
    this.#max = max;
  }

  get count(): number {
    return this.#count;
  }

  add(value: number): void {
    if (this.#count >= this.#max) throw new Error(`more than ${this.#max} samples: measure for a shorter time`);
    if (this.#count === this.#values.length) this.#grow();
    this.#values[this.#count++] = value;
  }

  summary(): Summary {
    const sorted = this.#values.slice(0, this.#count).sort();
    const at = (quantile: number) => percentile(sorted, quantile);
    return { n: this.#count, min: at(0), p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
  }

  #grow(): void {
    const larger = new Float64Array(this.#values.length * 2);
    larger.set(this.#values);
    this.#values = larger;
  }
}

export interface Summary {
  readonly n: number;
  readonly min: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** The least value that at least this share of the sorted values does not exceed (nearest rank); NaN without values. */
export function percentile(sorted: ArrayLike<number>, quantile: number): number {
  const rank = Math.max(1, Math.ceil(quantile * sorted.length));
  return sorted[rank - 1] ?? Number.NaN;
}
