import { type ClockRecord, clockAt } from "@tributary/shared/contracts/clock";

/**
 * When a message reached the broker, on the clock: its real timestamp read through the clock record of that time (O6).
 * Records seen since start are remembered. Of a time before the first one only a bound is known: not later than its start.
 */
export interface Arrival {
  /** Epoch ms on the clock. */
  readonly ms: number;
  /** False: an upper bound. */
  readonly isExact: boolean;
}

const recordsMax = 64;

/** The list with a newly seen record; the oldest goes when it is full. */
export function observeRecord(records: readonly ClockRecord[], record: ClockRecord): readonly ClockRecord[] {
  return [...records, record].slice(-recordsMax);
}

export function arrivalOf(records: readonly ClockRecord[], realMs: number, nowMs: number): Arrival {
  const record = records.findLast((candidate) => candidate.realMs <= realMs);
  if (record !== undefined) return { ms: Math.min(clockAt(record, realMs), nowMs), isExact: true };
  return { ms: Math.min(records[0]?.simulatedMs ?? realMs, nowMs), isExact: false };
}
