import type { Readable } from "node:stream";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { inputCharsMax, tooLong } from "./line-groups.ts";

/**
 * A whole input as JSON: one document, or one a line, which is then an array.
 * @throws TributaryError MALFORMED, LIMIT_EXCEEDED; `what` names it in the message
 */
export async function readJson(input: Readable, what: string): Promise<unknown> {
  const text = await readAll(input);
  try {
    return JSON.parse(text);
  } catch {
    return parseLines(text, what);
  }
}

function parseLines(text: string, what: string): unknown[] {
  return text.split("\n").flatMap((line, i) => {
    if (line.trim() === "") return [];
    try {
      return [JSON.parse(line) as unknown];
    } catch (error) {
      throw new TributaryError("MALFORMED", `${what}: line ${i + 1} is not JSON`, { cause: error });
    }
  });
}

async function readAll(input: Readable): Promise<string> {
  input.setEncoding("utf8");
  let text = "";
  for await (const piece of input as AsyncIterable<string>) {
    text += piece;
    if (text.length > inputCharsMax) throw tooLong("the document");
  }
  return text;
}
