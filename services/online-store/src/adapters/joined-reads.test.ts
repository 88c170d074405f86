import { describe, expect, it } from "vitest";
import { joinReads } from "./joined-reads.ts";

/** Answers each key with itself, and remembers what was asked. */
function echo() {
  const asked: (readonly string[])[] = [];
  return {
    asked,
    read: async (keys: readonly string[]) => {
      asked.push(keys);
      await Promise.resolve();
      if (keys.includes("bad")) throw new Error("bad");
      return keys.map((key) => key.toUpperCase());
    },
  };
}

describe("joined reads", () => {
  it("sends what is asked for in one breath together, and gives each its own", async () => {
    const { asked, read } = echo();
    const joined = joinReads(read, 10);
    const answers = await Promise.all([joined(["a", "b"]), joined(["c"]), joined([]), joined(["d", "a"])]);
    expect(answers).toEqual([["A", "B"], ["C"], [], ["D", "A"]]);
    expect(asked).toEqual([["a", "b", "c", "d", "a"]]);
  });

  it("lets no read wait for a later one", async () => {
    const { asked, read } = echo();
    const joined = joinReads(read, 10);
    const first = joined(["a"]);
    await Promise.resolve();
    const second = joined(["b"]);
    expect(await Promise.all([first, second])).toEqual([["A"], ["B"]]);
    expect(asked).toEqual([["a"], ["b"]]);
  });

  it("keeps a command within its bound, and sends a large read alone", async () => {
    const { asked, read } = echo();
    const joined = joinReads(read, 4);
    const reads = [["a", "b"], ["c"], ["d", "e"], ["x", "y", "z"], ["f"]];
    expect(await Promise.all(reads.map((keys) => joined(keys)))).toEqual(
      reads.map((keys) => keys.map((key) => key.toUpperCase())),
    );
    expect(asked).toEqual([
      ["a", "b", "c"],
      ["x", "y", "z"],
      ["d", "e", "f"],
    ]);
  });

  it("fails all that were sent together, and nobody else", async () => {
    const joined = joinReads(echo().read, 4);
    const failed = [joined(["a", "b"]), joined(["bad", "c"])];
    const fine = joined(["d"]);
    expect((await Promise.allSettled(failed)).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(await fine).toEqual(["D"]);
  });
});
