import { unpack } from "../codec/msgpack.ts";
import { type DeadLetter, deadLetterSchema } from "../contracts/dead-letter.ts";
import { TributaryError } from "../contracts/errors.ts";
import { subjects } from "../contracts/subjects.ts";
import type { Connection } from "./contract.ts";
import { callApiOn } from "./jetstream-api.ts";
import { createPublisher } from "./publisher.ts";
import { readStoredMessage } from "./stream-message.ts";
import { readStreamState } from "./stream-state.ts";

/**
 * The dead-letter stream as an operator reads it: newest first, one by one. Letters stay after a replay, as evidence; that
 * one was replayed is noted in TRIB_CTL, which is kept as long, under the incarnation and sequence of the letter.
 */
export interface StoredLetter {
  /** In TRIB_DLQ. */
  readonly sequence: number;
  /** Undefined: bytes that are not a dead letter of a format this build reads. */
  readonly letter: DeadLetter | undefined;
  readonly subject: string;
  readonly timestampMs: number;
  readonly replayed: boolean;
}

export interface LetterBox {
  /** Creation time of the stream, epoch ms. */
  readonly incarnation: number;
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly messages: number;
  /** Sequences that were replayed. */
  readonly replayed: ReadonlySet<number>;
  read(sequence: number): Promise<StoredLetter | undefined>;
  /** Newest first. */
  newest(): AsyncGenerator<StoredLetter>;
  /** @throws TributaryError UNAVAILABLE, UNKNOWN_OUTCOME */
  noteReplayed(sequence: number): Promise<void>;
}

const stream = "TRIB_DLQ";
const readsAtOnce = 8;
const noteDeadlineMs = 5_000;

/** @throws TributaryError MISSING_RESOURCE, UNAVAILABLE, BAD_CONFIG (no permission) */
export async function openLetterBox(connection: Connection): Promise<LetterBox> {
  const { incarnation, firstSequence, lastSequence, messages } = await readStreamState(connection, stream);
  const replayed = await readNotes(connection, incarnation);
  const read = (sequence: number) => readLetter(connection, sequence, replayed);
  async function* newest(): AsyncGenerator<StoredLetter> {
    for (let high = lastSequence; high >= firstSequence; high -= readsAtOnce) {
      const count = Math.min(readsAtOnce, high - firstSequence + 1);
      const letters = await Promise.all(Array.from({ length: count }, (_, i) => read(high - i)));
      for (const letter of letters) if (letter !== undefined) yield letter;
    }
  }
  const noteReplayed = async (sequence: number): Promise<void> => {
    const publisher = createPublisher(connection, { stream: "TRIB_CTL", deadlineMs: noteDeadlineMs });
    const subject = noteSubject(incarnation, String(sequence));
    await publisher.publish({ subject, data: new Uint8Array() }).finally(() => publisher.close());
  };
  return { incarnation, firstSequence, lastSequence, messages, replayed, read, newest, noteReplayed };
}

async function readLetter(
  connection: Connection,
  sequence: number,
  replayed: ReadonlySet<number>,
): Promise<StoredLetter | undefined> {
  const message = await readStoredMessage(connection, stream, { seq: sequence });
  if (message === undefined) return undefined;
  const { subject, timestampMs, data } = message;
  return { sequence, letter: decode(data), subject, timestampMs, replayed: replayed.has(sequence) };
}

function decode(data: Uint8Array): DeadLetter | undefined {
  try {
    return deadLetterSchema.safeParse(unpack(data)).data;
  } catch (error) {
    if (error instanceof TributaryError) return undefined;
    throw error;
  }
}

/** The subject list comes in pages. */
async function readNotes(connection: Connection, incarnation: number): Promise<Set<number>> {
  interface SubjectInfo {
    readonly total?: number;
    readonly state: { readonly subjects?: Readonly<Record<string, number>> };
  }
  const found = new Set<number>();
  for (let offset = 0; ; ) {
    const body = { subjects_filter: noteSubject(incarnation, "*"), offset };
    const info = await callApiOn<SubjectInfo>(connection, "STREAM.INFO.TRIB_CTL", "stream TRIB_CTL", body);
    const page = Object.keys(info.state.subjects ?? {});
    for (const subject of page) found.add(Number(subject.slice(subject.lastIndexOf(".") + 1)));
    offset += page.length;
    if (page.length === 0 || offset >= (info.total ?? 0)) return found;
  }
}

function noteSubject(incarnation: number, sequence: string): string {
  return subjects.control(`dlq-replayed.${incarnation}.${sequence}`);
}
