import { expect, it } from "vitest";
import { stolenTime } from "../../bench/stolen-time.ts";

it("tells what a host took since the call before, of what the machine wanted", () => {
  const texts = [
    "cpu  100 0 50 1000 7 1 2 10 0 0\ncpu0 9 9 9 9 9 9 9 9 0 0",
    "cpu  130 5 60 1900 8 2 6 60 0 0\ncpu0 9 9 9 9 9 9 9 9 0 0",
    "cpu  130 5 60 2900 8 2 6 60 0 0",
    "cpu  230 5 60 2900 8 2 6 60 0 0",
  ];
  const stolen = stolenTime(() => texts.shift() ?? "");
  expect([stolen(), stolen(), stolen()]).toEqual([0.5, undefined, 0]);
});

it("says nothing where the system does not", () => {
  const stolen = stolenTime(() => "");
  expect(stolen()).toBeUndefined();
});
