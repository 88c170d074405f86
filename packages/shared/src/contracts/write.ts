import { z } from "zod";
import { limits } from "./limits.ts";

/**
 * `write.rows`: direct writes over NATS or HTTP, JSON or msgpack.
 *
 * Format history
 *   1  first form: per-row outcomes, token
 */
export const writeRequestSchema = z.strictObject({
  view: z.string(),
  rows: z
    .array(
      z.strictObject({
        key: z.record(z.string(), z.unknown()),
        /** Some or all of the view's features; null is a value. */
        features: z.record(z.string(), z.unknown()).optional(),
        /** Names of features to withdraw: their cells become tombstones. */
        withdraw: z.array(z.string()).optional(),
        /** Epoch ms or RFC 3339 with a zone; absent = the broker's time of acceptance. */
        eventTime: z.union([z.number(), z.string()]).optional(),
      }),
    )
    .min(1)
    .max(limits.writeRowsMax),
  idempotencyKey: z.string().min(1).max(128).optional(),
});
export type WriteRequest = z.infer<typeof writeRequestSchema>;

/**
 * A write's token: the version its cells were given. `read … { after }` waits until each cell holds it or a greater one.
 * `eventTime` null means that the broker's timestamp was used.
 */
export const tokenSchema = z.strictObject({
  view: z.string(),
  key: z.string(),
  features: z.array(z.string()),
  eventTime: z.number().nullable(),
  incarnation: z.number().int(),
  sequence: z.number().int(),
  row: z.number().int(),
});
export type WriteToken = z.infer<typeof tokenSchema>;

export type RowOutcome =
  | { readonly kind: "accepted"; readonly token: WriteToken }
  | { readonly kind: "refused"; readonly code: string; readonly message: string; readonly hint: string }
  /** The broker did not answer in time: the row may or may not have been stored (D1). */
  | { readonly kind: "unknown"; readonly code: string; readonly message: string; readonly hint: string };

export interface WriteReply {
  /** One outcome a row, in the request's order. */
  readonly outcomes: readonly RowOutcome[];
  readonly accepted: number;
  readonly refused: number;
  readonly unknown: number;
}
