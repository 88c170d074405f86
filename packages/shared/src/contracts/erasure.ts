import { z } from "zod";
import type { Version } from "./version.ts";

/**
 * Erasure of an entity key, in bucket TRIB_ERASURES: asked for once, kept for as long as anything can be replayed (R2).
 * `erasure.<id>` is the request; `receipt.<id>.<service>` says that a service has carried it out; `lift.<id>` says that the batch
 * lane need not keep the key out of its runs any longer.
 *
 * Format history
 *   1  first form
 */
export const erasureSchema = z.object({
  format: z.literal(1),
  id: z.string().regex(/^[A-Za-z0-9-]{4,64}$/),
  entity: z.string(),
  /** The entity key (see entity-key.ts). */
  key: z.string().min(1),
  /** What is of this event time or before is gone, epoch ms: the instant of the request plus the allowed clock skew. */
  eventTime: z.number().int(),
  /** Real epoch ms. */
  requestedAtMs: z.number().int(),
});
export type Erasure = z.infer<typeof erasureSchema>;

export const receiptSchema = z.object({
  service: z.string(),
  instance: z.string(),
  /** Real epoch ms. */
  atMs: z.number().int(),
});
export type ErasureReceipt = z.infer<typeof receiptSchema>;

export const liftSchema = z.object({
  format: z.literal(1),
  id: erasureSchema.shape.id,
  /** Real epoch ms. */
  atMs: z.number().int(),
});
export type ErasureLift = z.infer<typeof liftSchema>;

/** Reply of `store.erasure`: what Redis holds of an erased key now. */
export interface ErasureCheck {
  readonly id: string;
  readonly epoch: string;
  readonly records: readonly RecordCheck[];
}

export interface RecordCheck {
  /** The entity's record, or the view whose own it is. */
  readonly view: string | null;
  readonly state: RecordState;
}

/**
 * absent: there is no record · erased: no value · rewritten: only values newer than the erasure ·
 * residual: values that the erasure covers · corrupt: its bytes fail their checks
 */
export type RecordState = "absent" | "erased" | "rewritten" | "residual" | "corrupt";

/** Reply of `batch.erasure`: what the lake's snapshots, backfills and stages hold of an erased key now. */
export interface LakeErasureCheck {
  readonly id: string;
  /** How many files of the entity's views were looked through. */
  readonly files: number;
  /** Those with rows that the erasure covers, relative to the lake's root. */
  readonly residual: readonly string[];
}

export const erasureKey = (id: string): string => `erasure.${id}`;
export const receiptKey = (id: string, service: string): string => `receipt.${id}.${service}`;
export const liftKey = (id: string): string => `lift.${id}`;

/** The greatest version that an erasure covers, of any lane. */
export function erasureVersion({ eventTime }: Pick<Erasure, "eventTime">): Version {
  return { eventTime, incarnation: 0, sequence: 0, minor: 0 };
}
