import { expect, test } from "vitest";
import { FailureCounts } from "./failure-counts.ts";

test("failures are counted by sequence until they are forgotten", () => {
  const counts = new FailureCounts();
  expect([counts.fail(1), counts.fail(1), counts.fail(2)]).toEqual([1, 2, 1]);
  counts.suspect(1);
  counts.forget(1);
  expect(counts.isSuspect(1)).toBe(false);
  expect(counts.fail(1)).toBe(1);
});

test("at its bound the one that has not failed for longest is forgotten", () => {
  const counts = new FailureCounts(2);
  for (const sequence of [1, 2, 1, 3]) counts.fail(sequence);
  expect(counts.fail(1)).toBe(3);
  expect(counts.fail(2)).toBe(1);
});
