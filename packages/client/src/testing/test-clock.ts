import { TributaryError } from "@tributary/shared/contracts/errors";
import { type Duration, durationMs } from "@tributary/shared/definitions/duration";

/** The time of features in a test. */
export interface TestClock {
  /** Epoch ms. */
  now(): number;
  /** `"10m"`, or ms. @throws TributaryError BAD_TIME */
  advance(by: Duration | number): void;
  /** @throws TributaryError BAD_TIME */
  set(to: Date | number): void;
}

export function createTestClock(start: Date | number): TestClock {
  let nowMs = instant(Number(start));
  return {
    now: () => nowMs,
    advance: (by) => {
      nowMs = instant(nowMs + (typeof by === "number" ? by : (durationMs(by) ?? Number.NaN)));
    },
    set: (to) => {
      nowMs = instant(Number(to));
    },
  };
}

function instant(ms: number): number {
  if (Number.isSafeInteger(ms)) return ms;
  throw new TributaryError("BAD_TIME", 'a test clock takes a Date, whole milliseconds, or a duration such as "10m"');
}
