import type { DirectChunk } from "@tributary/shared/admission/chunking";
import type { ChunkResult, PublishedChunk } from "@tributary/shared/admission/outcomes";
import { encodeChunk } from "@tributary/shared/codec/chunk-codec";
import { asTributaryError } from "@tributary/shared/contracts/errors";
import { subjects } from "@tributary/shared/contracts/subjects";
import type { Publisher } from "@tributary/shared/messaging/contract";

export interface PublishOptions {
  /** Real ms within which the broker must have answered; resends happen inside it, never after (D1). */
  readonly deadlineMs: number;
  /** Message id of the chunk with this ordinal: equal ids inside the dedupe window are stored once. */
  readonly idOf: (ordinal: number) => string;
}

/** All chunks at once; each has its own result, and a failure of one leaves the others. */
export async function publishChunks(
  publisher: Publisher,
  chunks: readonly DirectChunk[],
  options: PublishOptions,
): Promise<readonly PublishedChunk[]> {
  if (chunks.length === 0) return [];
  const incarnation = await publisher.incarnation();
  return Promise.all(
    chunks.map(async (chunk, ordinal) => ({
      chunk,
      result: await publishOne(publisher, chunk, { incarnation, id: options.idOf(ordinal), ...options }),
    })),
  );
}

async function publishOne(
  publisher: Publisher,
  { chunk }: DirectChunk,
  { incarnation, id, deadlineMs }: PublishOptions & { incarnation: number; id: string },
): Promise<ChunkResult> {
  try {
    const message = { subject: subjects.rows("direct", chunk.partition, chunk.view), data: encodeChunk(chunk), id };
    const { sequence } = await publisher.publish(message, { deadlineMs });
    return { kind: "stored", incarnation, sequence };
  } catch (error) {
    return { kind: "failed", error: asTributaryError(error) };
  }
}
