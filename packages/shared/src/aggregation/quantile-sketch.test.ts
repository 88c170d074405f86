import fc from "fast-check";
import { expect, it } from "vitest";
import { addToSketch, emptySketch, mergeSketches, quantileOf, relativeAccuracy } from "./quantile-sketch.ts";

const magnitude = fc.oneof(
  fc.double({ min: -1e12, max: 1e12, noNaN: true }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constant(0),
);

function exact(values: readonly number[], q: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(q * (values.length - 1))] as number;
}

it("a quantile is within the stated relative error of the exact one, over all of float64", () => {
  fc.assert(
    fc.property(
      fc.array(magnitude, { minLength: 1, maxLength: 200 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (values, q) => {
        const sketch = values.reduce(addToSketch, emptySketch());
        const wanted = exact(values, q);
        const got = quantileOf(sketch, q) as number;
        expect(Math.abs(got - wanted)).toBeLessThanOrEqual(relativeAccuracy * 1.0001 * Math.abs(wanted) + 1e-9);
      },
    ),
  );
});

it("holds to its error at the end of float64", () => {
  for (const value of [Number.MAX_VALUE, 8.936e307, -Number.MAX_VALUE]) {
    const got = quantileOf(addToSketch(emptySketch(), value), 0.5) as number;
    expect(Math.abs(got / value - 1)).toBeLessThanOrEqual(relativeAccuracy * 1.0001);
  }
});

it("merging is the same as adding everything to one sketch, and leaves the merged one alone", () => {
  fc.assert(
    fc.property(fc.array(magnitude), fc.array(magnitude), (left, right) => {
      const from = right.reduce(addToSketch, emptySketch());
      const before = structuredClone(from);
      expect(mergeSketches(left.reduce(addToSketch, emptySketch()), from)).toEqual(
        [...left, ...right].reduce(addToSketch, emptySketch()),
      );
      expect(from).toEqual(before);
    }),
  );
});

it("an empty sketch has no quantile", () => {
  expect(quantileOf(emptySketch(), 0.5)).toBeNull();
});
