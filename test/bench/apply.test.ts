import { lanes } from "@tributary/shared/contracts/catalog";
import { expect, it } from "vitest";
import { bench, linesOf, ofMachine } from "./run-bench.ts";

const number = expect.any(Number);

it("the apply benchmark measures every lane alone and beside reads of the same store and of another, each beside its floor, without an error", () => {
  const { status, stdout, stderr } = bench("apply", "--quick", "--json");
  expect(status, stderr).toBe(0);
  const measured = { rowsPerSecond: number, floorRowsPerSecond: number, ratioToFloor: number, errors: 0, ...ofMachine };
  const read = { ...measured, readP99Ms: number, idleReadP99Ms: number };
  const together = (lane: string) => [
    { bench: "apply", case: lane, mode: "alone", ...measured },
    { bench: "apply", case: lane, mode: "beside 50 reads/s", ...read },
  ];
  const apart = (lane: string) => ({ bench: "apply", case: lane, mode: "beside 50 reads/s of another store", ...read });
  expect(linesOf(stdout)).toEqual([...lanes.flatMap(together), ...lanes.map(apart)]);
}, 180_000);
