import { z } from "zod";

/**
 * A message that somebody gave up on, with its cause, on `dlq.<lane>.<process>`; msgpack.
 *
 * Format history
 *   1  first form
 */
export const deadLetterSchema = z.object({
  format: z.literal(1),
  lane: z.string(),
  process: z.string(),
  /** Stream, sequence and subject of the message set aside. */
  stream: z.string(),
  sequence: z.number().int(),
  subject: z.string(),
  /** A code of the error table. */
  code: z.string(),
  cause: z.string(),
  deliveries: z.number().int(),
  atMs: z.number().int(),
  payload: z.instanceof(Uint8Array),
});
export type DeadLetter = z.infer<typeof deadLetterSchema>;

/**
 * Header of a replayed chunk: the sequence, in the lane's stream as it is now, of the message that was set aside. What was held back
 * for that message counts again once this one is applied (C4).
 */
export const replayOfHeader = "Tributary-Replay-Of";

const cutNote = / \(payload cut from \d+ to \d+ bytes\)$/;

/** Appended to the cause when a payload did not fit. */
export function cutPayloadNote(fromBytes: number, toBytes: number): string {
  return ` (payload cut from ${fromBytes} to ${toBytes} bytes)`;
}

export function isPayloadCut({ cause }: Pick<DeadLetter, "cause">): boolean {
  return cutNote.test(cause);
}
