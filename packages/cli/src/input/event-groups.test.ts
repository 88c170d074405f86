import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { type EventGroup, eventGroups } from "./event-groups.ts";
import { inputCharsMax } from "./line-groups.ts";

/** What comes of the input, and the error behind it. */
async function read(...pieces: string[]) {
  const groups: EventGroup[] = [];
  try {
    for await (const group of eventGroups(Readable.from(pieces))) groups.push(group);
    return { groups, message: undefined };
  } catch (error) {
    return { groups, message: (error as Error).message };
  }
}
const eventsOf = ({ groups }: { groups: EventGroup[] }) => groups.flatMap(({ events }) => events);

describe("events from a text", () => {
  it("come one a line, across pieces, with or without a last line end", async () => {
    const found = await read('{"a":1}\n{"a"', ':2}\n\n[{"a":3},{"a":4}]\n{"a":5}');
    expect(eventsOf(found)).toEqual([1, 2, 3, 4, 5].map((a) => ({ a })));
    expect(found.groups.map(({ firstLine, lastLine }) => [firstLine, lastLine])).toEqual([
      [1, 1],
      [2, 4],
      [5, 5],
    ]);
  });

  it("come from one document over many lines as well", async () => {
    expect(eventsOf(await read('[\n{"a":1},\n', '{"a":2}\n]\n'))).toEqual([{ a: 1 }, { a: 2 }]);
    expect(eventsOf(await read('\n{\n"a":1\n}'))).toEqual([{ a: 1 }]);
  });

  it("before a bad line are handed on, and the line is named without what stands in it", async () => {
    for (const bad of ["secret", '{"secret":', "7"]) {
      const found = await read(`{"a":1}\n{"a":2}\n${bad}\n{"a":3}\n`);
      expect(eventsOf(found)).toEqual([{ a: 1 }, { a: 2 }]);
      expect(found.message).toBe("line 3 is not a JSON object, nor an array of them");
    }
  });

  it.each(["7\n", "[[{}]]\n", "secret\n", '{"a":\n'])("are refused when the first line is %j", async (text) => {
    expect(await read(text)).toEqual({
      groups: [],
      message: "line 1 is not a JSON object, nor an array of them",
    });
  });

  it("are not looked for in a line or document without end", async () => {
    const piece = " ".repeat(inputCharsMax / 2 + 1);
    expect((await read('{"a":1}\n', piece, piece)).message).toMatch(/^line 2 .* longer than/);
    expect((await read("[\n", `${piece}\n`, `${piece}\n`)).message).toMatch(/^the document .* longer than/);
  });
});
