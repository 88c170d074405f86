import { decodeChunk } from "@tributary/shared/codec/chunk-codec";
import { decodePayload } from "@tributary/shared/codec/json-or-msgpack";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { parseRowsSubject } from "@tributary/shared/contracts/subjects";
import type { StoredLetter } from "@tributary/shared/messaging/dead-letter-box";

/** What is shown of a letter; never its payload. */
export function letterFacts({ sequence, letter, subject, timestampMs, replayed }: StoredLetter) {
  const at = new Date(letter?.atMs ?? timestampMs).toISOString();
  if (letter === undefined) {
    const [lane, process] = subject.split(".").slice(-2);
    return { sequence, at, lane: lane ?? "-", process: process ?? "-", code: "UNSUPPORTED_FORMAT", replayed };
  }
  const { lane, process, stream, subject: original, code, cause, deliveries } = letter;
  const from = { stream, sequence: letter.sequence, subject: original };
  return { sequence, at, lane, process, original: from, code, cause, deliveries, replayed };
}

export type LetterFacts = ReturnType<typeof letterFacts>;

/** What was set aside, decoded as far as it can be. */
export function decodedPayload(subject: string, payload: Uint8Array): unknown {
  try {
    return parseRowsSubject(subject) === undefined ? decodePayload(payload).value : decodeChunk(payload);
  } catch (error) {
    if (!(error instanceof TributaryError)) throw error;
    return { undecodable: error.message, base64: Buffer.from(payload).toString("base64") };
  }
}
