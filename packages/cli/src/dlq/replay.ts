import { decodeChunk, encodeChunk } from "@tributary/shared/codec/chunk-codec";
import { type DeadLetter, isPayloadCut, replayOfHeader } from "@tributary/shared/contracts/dead-letter";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { parseRowsSubject, sourceOfEventSubject } from "@tributary/shared/contracts/subjects";
import { laneStream, type StreamName } from "@tributary/shared/contracts/topology";
import type { Connection, PublishAck, PublishMessage } from "@tributary/shared/messaging/contract";
import { createPublisher } from "@tributary/shared/messaging/publisher";
import { readStoredMessage } from "@tributary/shared/messaging/stream-message";
import { readStreamState } from "@tributary/shared/messaging/stream-state";
import { type OriginalMessage, withOriginalVersions } from "./replay-plan.ts";

/**
 * Publishes a letter's payload to its original subject. The message id is derived from the letter's sequence, so that a replay
 * repeated within the stream's dedupe window is stored once.
 * @throws TributaryError what cannot be replayed and why; HISTORY_LOST, MALFORMED, UNAVAILABLE, UNKNOWN_OUTCOME, STREAM_FULL
 */
export async function replayLetter(
  connection: Connection,
  { sequence, letter }: { readonly sequence: number; readonly letter: DeadLetter },
): Promise<PublishAck> {
  if (isPayloadCut(letter)) throw new TributaryError("MALFORMED", "its payload was too large to be kept whole");
  const stream = streamOf(letter);
  const message = stream === "TRIB_EVENTS" ? plainMessage(letter) : await chunkMessage(connection, stream, letter);
  const publisher = createPublisher(connection, { stream, deadlineMs: publishMsMax });
  try {
    return await publisher.publish({ ...message, id: `dlq:${sequence}` });
  } finally {
    await publisher.close();
  }
}

const publishMsMax = 10_000;

type ReplayStream = Extract<StreamName, "TRIB_EVENTS" | `TRIB_ROWS_${string}`>;

/** Only where a message of the same content at a later place is right: a keyed series has an order of its own. */
function streamOf({ stream, subject }: DeadLetter): ReplayStream {
  const lane = parseRowsSubject(subject)?.lane;
  if (stream === "TRIB_EVENTS" && sourceOfEventSubject(subject) !== undefined) return stream;
  const rows = Object.entries(laneStream).find(([name, rowsStream]) => name === lane && rowsStream === stream)?.[1];
  if (rows !== undefined) return rows;
  throw new TributaryError("MALFORMED", `a message of ${stream} on ${subject} cannot be replayed by itself`);
}

function plainMessage({ subject, payload }: DeadLetter): PublishMessage {
  return { subject, data: payload };
}

async function chunkMessage(connection: Connection, stream: ReplayStream, letter: DeadLetter): Promise<PublishMessage> {
  const { subject, payload } = letter;
  const chunk = decodeChunk(payload);
  const original = await findOriginal(connection, stream, letter);
  const headers = original.incarnation === undefined ? {} : { [replayOfHeader]: String(original.sequence) };
  const data = chunk.kind === "rows" ? encodeChunk(withOriginalVersions(chunk, original)) : payload;
  return { subject, data, headers };
}

/** A stream that was made after the letter was written never held the message; one from before is the one that did. */
async function findOriginal(
  connection: Connection,
  stream: ReplayStream,
  { sequence, subject, payload, atMs }: DeadLetter,
): Promise<OriginalMessage> {
  const { incarnation } = await readStreamState(connection, stream);
  if (incarnation > atMs) return { incarnation: undefined, sequence, timestampMs: undefined };
  const stored = await readStoredMessage(connection, stream, { seq: sequence });
  const isSame = stored?.subject === subject && Buffer.compare(stored.data, payload) === 0;
  return { incarnation, sequence, timestampMs: isSame ? stored.timestampMs : undefined };
}
