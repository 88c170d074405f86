import { unpackOwn } from "@tributary/shared/codec/msgpack";
import { TributaryError } from "@tributary/shared/contracts/errors";
import type { ReadReply } from "@tributary/shared/contracts/read";
import type { WriteReply } from "@tributary/shared/contracts/write";
import type { PublishAck } from "@tributary/shared/messaging/contract";
import { z } from "zod";

/** A list of anything: its values are checked where they enter, and looking at each again would cost as much as decoding. */
const list = z.custom<readonly unknown[]>(Array.isArray);

/** The outer shape only: the services are ours. */
const readReplySchema = z.looseObject({
  featureService: z.string(),
  catalogVersion: z.number(),
  epoch: z.string(),
  nowMs: z.number(),
  columns: z.array(z.looseObject({ name: z.string(), values: list })),
});
const writeReplySchema = z.looseObject({
  outcomes: z.array(z.looseObject({ kind: z.enum(["accepted", "refused", "unknown"]) })),
  accepted: z.number(),
  refused: z.number(),
  unknown: z.number(),
});

const publishAckSchema = z.looseObject({ stream: z.string(), sequence: z.number(), duplicate: z.boolean() });

export function decodeReadReply(bytes: Uint8Array): ReadReply {
  return checked(readReplySchema, bytes, "a read") as unknown as ReadReply;
}

export function decodeWriteReply(bytes: Uint8Array): WriteReply {
  return checked(writeReplySchema, bytes, "a write") as unknown as WriteReply;
}

export function decodePublishAck(bytes: Uint8Array): PublishAck {
  return checked(publishAckSchema, bytes, "a publish");
}

function checked<T extends z.ZodType>(schema: T, bytes: Uint8Array, what: string): z.infer<T> {
  const parsed = schema.safeParse(unpackOwn(bytes));
  if (!parsed.success) throw new TributaryError("MALFORMED", `the answer to ${what} is not of the expected form`);
  return parsed.data;
}
