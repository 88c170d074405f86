import { z } from "zod";

/**
 * The clock record: one key in KV gives every process the time of features (ages, freshness, TTL, skew, schedules).
 * now = simulatedMs + (real now − realMs) × rate. Rate 1 with both instants equal is the ordinary clock; rate 0 is paused.
 * Leases, retention, retries and coalescing use real time.
 */
export const clockRecordSchema = z.object({
  simulatedMs: z.number().int(),
  realMs: z.number().int(),
  rate: z.number().min(0).max(100_000),
});

export type ClockRecord = z.infer<typeof clockRecordSchema>;

export const ordinaryClock: ClockRecord = { simulatedMs: 0, realMs: 0, rate: 1 };

/** The instant on the clock, epoch ms, at the real instant `realNowMs`. */
export function clockAt(clock: ClockRecord, realNowMs: number): number {
  return Math.floor(clock.simulatedMs + (realNowMs - clock.realMs) * clock.rate);
}
