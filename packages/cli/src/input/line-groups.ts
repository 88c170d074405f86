import type { Readable } from "node:stream";
import { TributaryError } from "@tributary/shared/contracts/errors";

/** Of one line, or of a document that is read as a whole, in UTF-16 units. */
export const inputCharsMax = 16 * 1024 * 1024;

/**
 * The lines of a text as they arrive, in groups of one piece of input each: what is there is handed on at once, and no more than
 * a piece and an unfinished line is held.
 * @throws TributaryError LIMIT_EXCEEDED naming the line
 */
export async function* lineGroups(input: Readable): AsyncGenerator<readonly string[]> {
  input.setEncoding("utf8");
  let rest = "";
  let lines = 0;
  for await (const piece of input as AsyncIterable<string>) {
    const parts = piece.split("\n");
    const [first = ""] = parts;
    rest += first;
    if (rest.length > inputCharsMax) throw tooLong(`line ${lines + 1}`);
    if (parts.length === 1) continue;
    const last = parts.pop() ?? "";
    const whole = [rest, ...parts.slice(1)];
    rest = last;
    lines += whole.length;
    yield whole;
  }
  if (rest !== "") yield [rest];
}

export function tooLong(what: string): TributaryError {
  return new TributaryError("LIMIT_EXCEEDED", `${what} of the input is longer than ${inputCharsMax} characters`);
}
