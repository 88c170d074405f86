import type { Erasure } from "@tributary/shared/contracts/erasure";
import { describe, expect, it } from "vitest";
import { ErasureBook } from "./erasure-book.ts";

const eventTime = 1_000;
const erasureOf = (id: string, entity = "shop"): Erasure => {
  return { format: 1, id, entity, key: `key of ${id}`, eventTime, requestedAtMs: 0 };
};

describe("a book of erasures", () => {
  it("keeps a key out of every interval until the erasure is lifted, and then of those that it covers", () => {
    const book = new ErasureBook();
    const erasure = erasureOf("a");
    book.add(erasure);
    const kept = () => [eventTime - 1, eventTime, eventTime + 1].map((end) => book.keepsOut(erasure, end));
    expect(kept()).toEqual([true, true, true]);
    book.lift("a");
    expect(kept()).toEqual([true, true, false]);
  });

  it("may hear of a lift or a receipt before it hears of the erasure, and of all of them twice", () => {
    const book = new ErasureBook();
    for (let round = 0; round < 2; round++) {
      book.lift("a");
      book.receive("b");
      for (const id of ["a", "b", "c"]) book.add(erasureOf(id));
    }
    expect(book.keepsOut(erasureOf("a"), eventTime + 1)).toBe(false);
    expect(book.pending(10).map(({ id }) => id)).toEqual(["a", "c"]);
    expect(book.of("shop")).toHaveLength(3);
  });

  it("knows erasures by their entity, and gives no more at once than it is asked for", () => {
    const book = new ErasureBook();
    for (let i = 0; i < 5; i++) book.add(erasureOf(`a${i}`, i % 2 === 0 ? "shop" : "town"));
    expect(book.of("town").map(({ id }) => id)).toEqual(["a1", "a3"]);
    expect(book.of("nowhere")).toEqual([]);
    expect(book.pending(2).map(({ id }) => id)).toEqual(["a0", "a1"]);
  });
});
