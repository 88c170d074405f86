import { lanes } from "@tributary/shared/contracts/catalog";
import { TributaryError } from "@tributary/shared/contracts/errors";
import type { LetterBox, StoredLetter } from "@tributary/shared/messaging/dead-letter-box";

/** @throws TributaryError BAD_CONFIG */
export function laneOf(text: string | undefined): string | undefined {
  if (text === undefined || lanes.some((lane) => lane === text)) return text;
  throw new TributaryError("BAD_CONFIG", `--lane ${text}: it is ${lanes.join(", ")}`);
}

/** @throws TributaryError BAD_CONFIG */
export function countOf(text: string, what: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(count) && count > 0) return count;
  throw new TributaryError("BAD_CONFIG", `${what} must be a whole number from 1 on`);
}

/** @throws TributaryError NOT_FOUND, saying which there are */
export async function requireLetter(box: LetterBox, sequence: number): Promise<StoredLetter> {
  const letter = await box.read(sequence);
  if (letter) return letter;
  const range = box.messages === 0 ? "there is none" : `there are ${box.firstSequence} to ${box.lastSequence}`;
  throw new TributaryError("NOT_FOUND", `no dead letter ${sequence}; ${range}`);
}

/** The letters of a lane, or of all; newest first. */
export async function* lettersOf(box: LetterBox, lane: string | undefined): AsyncGenerator<StoredLetter> {
  for await (const stored of box.newest()) {
    const own = stored.letter?.lane ?? stored.subject.split(".").at(-2);
    if (lane === undefined || own === lane) yield stored;
  }
}
