import { type ClockRecord, clockAt, clockRecordSchema, ordinaryClock } from "../contracts/clock.ts";
import type { Bucket } from "../messaging/contract.ts";

/** The clock as a process sees it: the newest record of KV, read through this machine's real time. */
export interface Clock {
  /** The instant of features, epoch ms. */
  now(): number;
  readonly record: ClockRecord;
  /** KV revision of the record; 0 while none is set. */
  readonly revision: number;
  /** Called at every change of the record; returns a function that ends it. */
  onChange(listener: () => void): () => void;
  stop(): Promise<void>;
}

export const clockKey = "clock";

/** Follows the clock record; until one is set, the ordinary clock. */
export async function watchClock(bucket: Bucket): Promise<Clock> {
  let record = ordinaryClock;
  let revision = 0;
  const listeners = new Set<() => void>();
  const first = await bucket.get(clockKey);
  const take = (value: Uint8Array, at: number): void => {
    if (at <= revision) return;
    record = decodeClock(value);
    revision = at;
    for (const listener of listeners) listener();
  };
  if (first) take(first.value, first.revision);
  const watch = await bucket.watch(clockKey, (entry) => take(entry.value, entry.revision), { relistMs: 1_000 });
  return {
    now: () => clockAt(record, Date.now()),
    get record() {
      return record;
    },
    get revision() {
      return revision;
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stop: () => watch.stop(),
  };
}

/** Sets the clock for every process; returns the record's revision. Needs the rights of an administrator. */
export async function setClock(bucket: Bucket, record: ClockRecord): Promise<number> {
  return bucket.put(clockKey, new TextEncoder().encode(JSON.stringify(clockRecordSchema.parse(record))));
}

export function decodeClock(value: Uint8Array): ClockRecord {
  return clockRecordSchema.parse(JSON.parse(new TextDecoder().decode(value)));
}
