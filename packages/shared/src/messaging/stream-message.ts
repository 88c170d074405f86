import type { Connection, DeliveredMessage, Headers } from "./contract.ts";
import { ApiError, apiErrors, callApi, refusal } from "./jetstream-api.ts";

/** Which message: one sequence, the last of a subject, or the first of a filter at or after a sequence. */
export type MessageQuery = { readonly seq: number; readonly next_by_subj?: string } | { readonly last_by_subj: string };

export type StoredMessage = Omit<DeliveredMessage, "deliveries">;

interface StoredAnswer {
  readonly message: {
    readonly subject: string;
    readonly seq: number;
    readonly time: string;
    readonly data?: string;
    readonly hdrs?: string;
  };
}

/**
 * One stored message, asked of the stream's leader (a direct get may be answered by a replica that is behind).
 * Undefined: no such message.
 * @throws TributaryError MISSING_RESOURCE naming the stream; UNAVAILABLE
 */
export async function readStoredMessage(
  connection: Connection,
  stream: string,
  query: MessageQuery,
): Promise<StoredMessage | undefined> {
  try {
    const answer = await callApi<StoredAnswer>(connection, `STREAM.MSG.GET.${stream}`, query);
    return toStoredMessage(stream, answer);
  } catch (error) {
    if (error instanceof ApiError && error.errorCode === apiErrors.messageNotFound) return undefined;
    throw refusal(error, `stream ${stream}`);
  }
}

function toStoredMessage(stream: string, { message }: StoredAnswer): StoredMessage {
  return {
    stream,
    subject: message.subject,
    sequence: message.seq,
    timestampMs: Date.parse(message.time),
    data: message.data === undefined ? new Uint8Array() : new Uint8Array(Buffer.from(message.data, "base64")),
    headers: message.hdrs === undefined ? {} : parseHeaders(Buffer.from(message.hdrs, "base64").toString("utf8")),
  };
}

function parseHeaders(block: string): Headers {
  const lines = block
    .split("\r\n")
    .slice(1)
    .filter((line) => line.includes(":"));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()]),
  );
}
