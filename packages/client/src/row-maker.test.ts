import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rowMaker, storeByName } from "./row-maker.ts";

const names = fc.uniqueArray(fc.stringMatching(/^[a-z][A-Za-z0-9_]{0,5}$/), { maxLength: 12 });
const odd = ["a-b", "", "\u2028", '"', "a\\", "1", "__proto__", "constructor", "ü", "x: 1, y"];

describe("row maker", () => {
  it("makes the rows that storing each value by its name would make", () => {
    fc.assert(
      fc.property(names, fc.nat(3), (columns, row) => {
        const values = columns.map((name) => [0, 1, 2].map((at) => `${name}${at}`));
        expect(rowMaker(columns)(values, row)).toEqual(storeByName(columns)(values, row));
      }),
    );
  });

  it("takes every name for a name, and none for code", () => {
    const row = rowMaker(odd)(
      odd.map((_, at) => [at]),
      0,
    );
    expect(Object.entries(row).sort()).toEqual(odd.map((name, at) => [name, at]).sort());
    expect(Object.getPrototypeOf(row)).toBe(Object.prototype);
  });

  it("gives null where a column has no value, and all names in order", () => {
    const row = rowMaker(["b", "a"])([[], [undefined]], 0);
    expect(row).toEqual({ b: null, a: null });
    expect(Object.keys(row)).toEqual(["b", "a"]);
  });

  it("forgets the names of long ago", () => {
    const first = rowMaker(["n0", "more"]);
    expect(rowMaker(["n0", "more"])).toBe(first);
    for (let i = 1; i <= 100; i++) rowMaker([`n${i}`, "more"]);
    expect(rowMaker(["n0", "more"])).not.toBe(first);
  });
});
