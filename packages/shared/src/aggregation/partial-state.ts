import { addToSum, type CompensatedSum, emptySum, mergeSums } from "./compensated-sum.ts";
import { addToSketch, emptySketch, mergeSketches, type QuantileSketch } from "./quantile-sketch.ts";

/**
 * The mergeable states under every aggregation. A count is a number, min and max a number or null, a sum (also of a mean)
 * and a sketch (of every percentile of one field) are objects that `add` and `merge` change in place and return.
 * `merge(into, from)` never changes `from`: tiles are merged again and again.
 */
export type PartialState = number | null | CompensatedSum | QuantileSketch;
export type PartialKind = "count" | "sum" | "min" | "max" | "sketch";

export interface Algebra<S extends PartialState> {
  empty(): S;
  add(state: S, value: number): S;
  merge(into: S, from: S): S;
  /** A plain value for the codec, and back. */
  encode(state: S): unknown;
  decode(plain: unknown): S;
}

const count: Algebra<number> = {
  empty: () => 0,
  add: (state) => state + 1,
  merge: (into, from) => into + from,
  encode: (state) => state,
  decode: (plain) => finite(plain),
};

const min: Algebra<number | null> = extreme((a, b) => Math.min(a, b));
const max: Algebra<number | null> = extreme((a, b) => Math.max(a, b));

const sum: Algebra<CompensatedSum> = {
  empty: emptySum,
  add: addToSum,
  merge: mergeSums,
  encode: (state) => [state.count, state.sum, state.compensation],
  decode: (plain) => {
    const [counted, total, compensation] = list(plain);
    return { count: finite(counted), sum: float(total), compensation: float(compensation) };
  },
};

const sketch: Algebra<QuantileSketch> = {
  empty: emptySketch,
  add: addToSketch,
  merge: mergeSketches,
  encode: (state) => [state.bins, state.counts],
  decode: (plain) => {
    const [bins, counts] = list(plain).map((part) => list(part).map(finite));
    if (bins === undefined || counts === undefined || bins.length !== counts.length) throw new Error("uneven sketch");
    return { count: counts.reduce((total, one) => total + one, 0), bins, counts };
  },
};

export const partials = { count, sum, min, max, sketch } as unknown as Readonly<
  Record<PartialKind, Algebra<PartialState>>
>;

function extreme(better: (a: number, b: number) => number): Algebra<number | null> {
  return {
    empty: () => null,
    add: (state, value) => (state === null ? value : better(state, value)),
    merge: (into, from) => (into === null ? from : from === null ? into : better(into, from)),
    encode: (state) => state,
    decode: (plain) => (plain === null ? null : finite(plain)),
  };
}

function list(plain: unknown): unknown[] {
  if (!Array.isArray(plain)) throw new Error("a list is missing");
  return plain;
}

function finite(plain: unknown): number {
  if (typeof plain !== "number" || !Number.isFinite(plain)) throw new Error("a number is missing");
  return plain;
}

/** An overflowed sum is infinite, and its compensation is not a number: both stay so. */
function float(plain: unknown): number {
  if (typeof plain !== "number") throw new Error("a number is missing");
  return plain;
}
