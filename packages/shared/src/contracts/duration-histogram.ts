/**
 * How long something took, many times over, in constant room: bucket i counts what took up to 2^i ms and longer than 2^(i−1), the
 * last one what took longer than all of them. The bounds are fixed, so histograms of any instances add up, and so do those
 * of one instance at two instants.
 */
export interface DurationHistogram {
  /** By bucket; those behind the last that is not 0 are left out. */
  readonly counts: readonly number[];
  /** ms. */
  readonly sumMs: number;
}

/** Upper bounds, ms: 1, 2, 4, … 49.7 days. */
export const durationBounds: readonly number[] = Array.from({ length: 33 }, (_, i) => 2 ** i);

export const noDurations: DurationHistogram = { counts: [], sumMs: 0 };

export class DurationCounter {
  readonly #counts: number[] = new Array(durationBounds.length + 1).fill(0);
  #sumMs = 0;

  /** @param ms below 0 counts as 0 */
  add(ms: number): void {
    const index = bucketOf(ms);
    this.#counts[index] = (this.#counts[index] as number) + 1;
    this.#sumMs += Math.max(0, ms);
  }

  read(): DurationHistogram {
    const used = this.#counts.findLastIndex((count) => count > 0) + 1;
    return { counts: this.#counts.slice(0, used), sumMs: this.#sumMs };
  }
}

function bucketOf(ms: number): number {
  const above = Math.ceil(ms) - 1;
  if (above < 1) return 0;
  return above >= 2 ** 32 ? durationBounds.length : 32 - Math.clz32(above);
}

export function mergeDurations(a: DurationHistogram, b: DurationHistogram): DurationHistogram {
  const [longer, shorter] = a.counts.length >= b.counts.length ? [a.counts, b.counts] : [b.counts, a.counts];
  return { counts: longer.map((count, i) => count + (shorter[i] ?? 0)), sumMs: a.sumMs + b.sumMs };
}

export function countOfDurations({ counts }: DurationHistogram): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

/** The upper bound, ms, of the bucket that the quantile lies in: at most twice the true value. Infinity above all bounds; undefined of none. */
export function durationQuantile(histogram: DurationHistogram, quantile: number): number | undefined {
  const rank = Math.max(1, Math.ceil(quantile * countOfDurations(histogram)));
  let seen = 0;
  for (const [i, count] of histogram.counts.entries()) {
    seen += count;
    if (seen >= rank) return durationBounds[i] ?? Number.POSITIVE_INFINITY;
  }
  return undefined;
}
