import { setTimeout as sleep } from "node:timers/promises";
import { type ClockRecord, clockAt } from "@tributary/shared/contracts/clock";
import type { Bucket } from "@tributary/shared/messaging/contract";
import { clockKey, decodeClock, setClock } from "@tributary/shared/runtime/clock-client";

/**
 * Sets the clock of the whole mesh. It never goes back: a pause is announced a little early and ahead, so that no process,
 * however late it hears of it, has looked past the instant at which everything stands still.
 */
export interface ClockDriver {
  now(): number;
  readonly rate: number;
  run(rate: number): Promise<void>;
  /** Stands still at `instantMs`, or, where that has passed meanwhile, where the clock is: at what it returns. */
  pauseAt(instantMs: number): Promise<number>;
}

/**
 * Resolves when every process that judges event times follows the new record. Until then this driver goes on by the old one:
 * a process that heard of a jump later than the events published after it would refuse them as coming from the future.
 */
export type Everywhere = (follows: (processNowMs: number) => boolean) => Promise<void>;

/** How long a record may take to reach every process, real ms. */
const spreadMs = 1_500;

/** Goes on at the stored instant when there is one; else stands still at `startMs`. */
export async function driveClock(bucket: Bucket, startMs: number, everywhere: Everywhere): Promise<ClockDriver> {
  const stored = await bucket.get(clockKey);
  const beginMs = stored ? clockAt(decodeClock(stored.value), Date.now()) : startMs;
  let record: ClockRecord = { simulatedMs: beginMs, realMs: Date.now(), rate: 0 };
  await setClock(bucket, record);
  const now = (): number => clockAt(record, Date.now());
  const set = async (simulatedMs: number, rate: number): Promise<void> => {
    const next = { simulatedMs, realMs: Date.now(), rate };
    await setClock(bucket, next);
    await everywhere((nowMs) => (rate === 0 ? nowMs === simulatedMs : nowMs > simulatedMs));
    record = next;
  };
  return {
    now,
    get rate() {
      return record.rate;
    },
    run: (rate) => set(now(), rate),
    pauseAt: async (instantMs) => {
      while (record.rate > 0 && now() + record.rate * spreadMs < instantMs) await sleep(20);
      const stoodAtMs = Math.max(instantMs, now());
      await set(stoodAtMs, 0);
      return stoodAtMs;
    },
  };
}
