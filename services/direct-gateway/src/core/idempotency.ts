import { createHash } from "node:crypto";
import type { ClockRecord } from "@tributary/shared/contracts/clock";
import type { WriteReply } from "@tributary/shared/contracts/write";

/**
 * An idempotency key's entry (D2). It pins everything on which an attempt's chunks depend, so that every attempt, by any
 * gateway, builds the same chunks under the same message ids, and the broker stores each of them once.
 *
 * Format history
 *   1  first form
 */
export interface Reservation {
  readonly format: 1;
  /** Of the request; another request under the same key is refused. */
  readonly fingerprint: string;
  readonly catalogVersion: number;
  /** Through which the entry's broker timestamp becomes the event time of rows that carry none. */
  readonly clock: ClockRecord;
  /** The instant at which the rows were judged, epoch ms on the clock. */
  readonly nowMs: number;
  /** Set once every chunk is acknowledged. */
  readonly reply?: WriteReply;
}

/** The bucket's key of an idempotency key, which may hold characters that a subject may not. */
export function reservationKey(idempotencyKey: string): string {
  return createHash("sha256").update(idempotencyKey).digest("hex");
}
