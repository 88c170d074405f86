import { expect, it } from "vitest";
import { bench, linesOf } from "./run-bench.ts";

it("the read benchmark measures a store with and without a read cache, and how often the cache has what is asked for", () => {
  const { status, stdout, stderr } = bench("read", "--quick", "--json", "--cases", "cache-zipf,cache-uniform");
  expect(status, stderr).toBe(0);
  const lines = linesOf(stdout);
  const measured = { bench: "read", errors: 0, rps: expect.any(Number), ratioToFloor: expect.any(Number) };
  const ratiosOf = (name: string) =>
    lines
      .filter((line) => line.case === name && line.cache === "on" && line.rows === 50)
      .map(({ hitRatio }) => Number(hitRatio));
  for (const name of ["cache-zipf", "cache-uniform"]) {
    for (const cache of ["off", "on"])
      for (const rows of [1, 50])
        for (const mode of ["closed1", "closed8"])
          expect(lines).toContainEqual(expect.objectContaining({ ...measured, case: name, cache, rows, mode }));
  }
  // A quarter of the records is held: of keys that are all alike a quarter of what is asked for, of popular ones more.
  expect(Math.min(...ratiosOf("cache-zipf"))).toBeGreaterThan(0.45);
  expect(Math.min(...ratiosOf("cache-uniform"))).toBeGreaterThan(0.15);
  expect(Math.max(...ratiosOf("cache-uniform"))).toBeLessThan(0.45);
}, 180_000);
