/**
 * A mergeable quantile sketch (DDSketch: Masson, Rim, Lee, VLDB 2019), sparse and sorted.
 *
 * A value v falls in the bin k = ceil(log_γ |v|), γ = (1 + α) / (1 − α); every value of a bin is within α of the bin's
 * representative, relatively. Bins of negative values, zero and positive values stand in one ascending list, so that a
 * quantile is one walk. Merging adds counts: exact, commutative, associative. At most about 73,000 bins over all float64.
 */
export const relativeAccuracy = 0.01;

/** Smaller magnitudes count as zero. */
export const smallestMagnitude = 1e-9;

const gamma = (1 + relativeAccuracy) / (1 - relativeAccuracy);
const logGamma = Math.log(gamma);
/** Makes the bin of the smallest magnitude positive, so that the sign of a bin is the sign of its values. */
const binOffset = 2_000;

export interface QuantileSketch {
  count: number;
  readonly bins: number[];
  readonly counts: number[];
}

export function emptySketch(): QuantileSketch {
  return { count: 0, bins: [], counts: [] };
}

export function addToSketch(sketch: QuantileSketch, value: number): QuantileSketch {
  return addToBin(sketch, binOf(value), 1);
}

/** Adds `from` to `into`; `from` stays as it is. */
export function mergeSketches(into: QuantileSketch, from: QuantileSketch): QuantileSketch {
  for (let i = 0; i < from.bins.length; i++) addToBin(into, from.bins[i] as number, from.counts[i] as number);
  return into;
}

/** The value of rank floor(q · (count − 1)) among the sorted values, within `relativeAccuracy`; null when empty. */
export function quantileOf(sketch: QuantileSketch, quantile: number): number | null {
  if (sketch.count === 0) return null;
  const rank = Math.floor(quantile * (sketch.count - 1));
  let seen = 0;
  for (let i = 0; i < sketch.bins.length; i++) {
    seen += sketch.counts[i] as number;
    if (seen > rank) return representative(sketch.bins[i] as number);
  }
  return null;
}

function binOf(value: number): number {
  const magnitude = Math.abs(value);
  if (magnitude < smallestMagnitude) return 0;
  const bin = Math.ceil(Math.log(magnitude) / logGamma) + binOffset;
  return value < 0 ? -bin : bin;
}

function representative(bin: number): number {
  if (bin === 0) return 0;
  // From the bin's lower edge: its upper one may lie beyond float64.
  const lowerEdge = gamma ** (Math.abs(bin) - binOffset - 1);
  const magnitude = Math.min(Number.MAX_VALUE, lowerEdge * ((2 * gamma) / (gamma + 1)));
  return bin < 0 ? -magnitude : magnitude;
}

function addToBin(sketch: QuantileSketch, bin: number, count: number): QuantileSketch {
  const at = lowerBound(sketch.bins, bin);
  if (sketch.bins[at] === bin) sketch.counts[at] = (sketch.counts[at] as number) + count;
  else {
    sketch.bins.splice(at, 0, bin);
    sketch.counts.splice(at, 0, count);
  }
  sketch.count += count;
  return sketch;
}

function lowerBound(bins: readonly number[], bin: number): number {
  let low = 0;
  let high = bins.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((bins[middle] as number) < bin) low = middle + 1;
    else high = middle;
  }
  return low;
}
