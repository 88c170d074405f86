import { pack, unpack } from "@tributary/shared/codec/msgpack";
import { clockRecordSchema } from "@tributary/shared/contracts/clock";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { tokenSchema, type WriteReply } from "@tributary/shared/contracts/write";
import { z } from "zod";
import type { Reservation } from "../core/idempotency.ts";

const failure = { code: z.string(), message: z.string(), hint: z.string() };
const replySchema = z.object({
  outcomes: z.array(
    z.discriminatedUnion("kind", [
      z.object({ kind: z.literal("accepted"), token: tokenSchema }),
      z.object({ kind: z.literal("refused"), ...failure }),
      z.object({ kind: z.literal("unknown"), ...failure }),
    ]),
  ),
  accepted: z.number().int(),
  refused: z.number().int(),
  unknown: z.number().int(),
}) satisfies z.ZodType<WriteReply>;

const reservationSchema = z.object({
  format: z.literal(1),
  fingerprint: z.string(),
  catalogVersion: z.number().int(),
  clock: clockRecordSchema,
  nowMs: z.number().int(),
  reply: replySchema.optional(),
});

export function encodeReservation(reservation: Reservation): Uint8Array {
  return pack(reservation);
}

/** @throws TributaryError UNSUPPORTED_FORMAT */
export function decodeReservation(bytes: Uint8Array): Reservation {
  const parsed = reservationSchema.safeParse(unpack(bytes));
  if (!parsed.success) {
    throw new TributaryError("UNSUPPORTED_FORMAT", "an idempotency reservation is not of a form this build reads");
  }
  const { reply, ...rest } = parsed.data;
  return { ...rest, ...(reply && { reply }) };
}
