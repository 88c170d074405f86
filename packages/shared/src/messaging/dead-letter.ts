import { pack } from "../codec/msgpack.ts";
import { cutPayloadNote, type DeadLetter, deadLetterSchema } from "../contracts/dead-letter.ts";
import { subjects } from "../contracts/subjects.ts";
import { streamTable } from "../contracts/topology.ts";
import type { Connection, Publisher } from "./contract.ts";
import { createPublisher } from "./publisher.ts";

/** `part` tells apart several letters about pieces of one message, for example the index of an event in an array. */
export type DeadLetterInput = Omit<DeadLetter, "format" | "atMs" | "payload"> & {
  readonly payload: Uint8Array;
  readonly part?: string;
};

const overheadBytes = 16 * 1024;
const causeLengthMax = 2_048;
const publishers = new WeakMap<Connection, Publisher>();

/**
 * Sets a message aside with its cause, stored when this resolves; the same message and process only once within the
 * stream's dedupe window. A payload that does not fit is cut, and the cause says so.
 * @throws TributaryError UNKNOWN_OUTCOME, UNAVAILABLE: it may not be stored, so the message must stay
 */
export async function publishDeadLetter(connection: Connection, input: DeadLetterInput): Promise<void> {
  const { part, ...letter } = input;
  const bytesMax = Math.min(connection.payloadMax, streamBytesMax()) - overheadBytes;
  const isCut = letter.payload.length > bytesMax;
  const note = isCut ? cutPayloadNote(letter.payload.length, bytesMax) : "";
  const record = deadLetterSchema.parse({
    ...letter,
    format: 1,
    atMs: Date.now(),
    cause: letter.cause.slice(0, causeLengthMax) + note,
    payload: isCut ? letter.payload.subarray(0, bytesMax) : letter.payload,
  });
  const id = [letter.stream, letter.sequence, letter.process, ...(part === undefined ? [] : [part])].join(":");
  await publisherOf(connection).publish({
    subject: subjects.deadLetter(letter.lane, letter.process),
    data: pack(record),
    id,
  });
}

function streamBytesMax(): number {
  return streamTable.find((stream) => stream.name === "TRIB_DLQ")?.maxMessageBytes ?? Number.POSITIVE_INFINITY;
}

function publisherOf(connection: Connection): Publisher {
  const existing = publishers.get(connection);
  if (existing !== undefined) return existing;
  const publisher = createPublisher(connection, { stream: "TRIB_DLQ", deadlineMs: 10_000 });
  publishers.set(connection, publisher);
  return publisher;
}
