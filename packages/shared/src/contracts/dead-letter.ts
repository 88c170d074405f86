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
