import type { StreamStatus } from "@tributary/shared/contracts/status";

/** Counters since start. */
export type Counters = { -readonly [K in keyof StreamStatus["counters"]]-?: number };

export function createCounters(): Counters {
  return {
    eventsRouted: 0,
    eventsRejected: 0,
    eventsApplied: 0,
    eventsDuplicate: 0,
    eventsLate: 0,
    eventsErased: 0,
    rowsPublished: 0,
    rowsUnchanged: 0,
  };
}
