import { randomUUID } from "node:crypto";
import { admitRows } from "@tributary/shared/admission/admission";
import { chunkRows } from "@tributary/shared/admission/chunking";
import { decodeWrite } from "@tributary/shared/admission/decode-write";
import { toReply, wholeFailure } from "@tributary/shared/admission/outcomes";
import type { Encoding } from "@tributary/shared/codec/json-or-msgpack";
import type { WriteReply, WriteRequest } from "@tributary/shared/contracts/write";
import { publishChunks } from "./publish-chunks.ts";
import { planFor, type WriteContext } from "./write-context.ts";
import { writeOnce } from "./write-once.ts";

export interface WriteAnswer {
  readonly reply: WriteReply;
  readonly encoding: Encoding;
}

/**
 * One write request, from bytes to outcomes; `view` is the one that the URL names.
 * @throws TributaryError for what concerns the whole request: MALFORMED, LIMIT_EXCEEDED, UNKNOWN_VIEW, WRONG_LANE, BAD_VALUE
 *   (idempotency key reused), and STREAM_FULL, UNKNOWN_OUTCOME, UNAVAILABLE when nothing is known to be stored
 */
export async function writeRows(context: WriteContext, body: Uint8Array, view?: string): Promise<WriteAnswer> {
  const { request, encoding } = decodeWrite(body, view);
  const { idempotencyKey } = request;
  const reply = await (idempotencyKey === undefined
    ? writeNow(context, request)
    : writeOnce(context, request, idempotencyKey));
  context.metrics.countReply(reply);
  return { reply, encoding };
}

async function writeNow(context: WriteContext, request: WriteRequest): Promise<WriteReply> {
  const plan = planFor(context, request.view);
  const { admitted, refused } = admitRows(plan, request.rows, context.clock.now());
  const chunks = chunkRows(plan, admitted, { producer: context.instance, clock: context.clock.record });
  // Serves the resends inside the deadline and nothing else (D1).
  const attempt = randomUUID();
  const published = await publishChunks(context.publisher, chunks, {
    deadlineMs: context.publishDeadlineMs,
    idOf: (ordinal) => `${attempt}:${ordinal}`,
  });
  const failure = refused.length === 0 ? wholeFailure(published) : undefined;
  if (failure) throw failure;
  return toReply(refused, published);
}
