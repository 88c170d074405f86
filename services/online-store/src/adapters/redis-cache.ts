import type { RecordCache } from "../core/record-cache.ts";
import type { Records } from "./redis-records.ts";
import type { Tracking } from "./redis-tracking.ts";

export interface CachedOptions {
  readonly cache: RecordCache;
  readonly tracking: Tracking;
  /** @throws TributaryError UNAVAILABLE while it is not known */
  readonly epoch: () => string;
  /** Hears of records that were fetched without a look into the cache. */
  readonly bypassed: (records: number) => void;
}

/**
 * Records that are taken from the cache where they may be. What is served from it lacks no write that Redis had carried out
 * `lagMsMax` before, and is never older than what this instance has served before (see RecordCache). The records of one read are
 * not of one instant.
 */
export function cachedRecords(records: Records, { cache, tracking, epoch, bypassed }: CachedOptions): Records {
  let epochOfCache: string | undefined;
  /** What was fetched in one epoch is not told in another. */
  const followEpoch = () => {
    const now = epochOrUndefined(epoch);
    if (now !== epochOfCache) cache.flush();
    epochOfCache = now;
  };

  /** Announced before it is sent. */
  const fetch = async (keys: readonly string[], need: "latest" | undefined): Promise<readonly (Buffer | null)[]> => {
    const announced = cache.announce(keys);
    let fetched: readonly (Buffer | null)[];
    try {
      fetched = await records.read(keys, need);
    } catch (error) {
      cache.abandon(announced);
      throw error;
    }
    cache.keep(announced, fetched);
    return fetched;
  };

  const readThrough = async (keys: readonly string[]): Promise<readonly (Buffer | null)[]> => {
    const found: (Buffer | null)[] = [];
    const places: number[] = [];
    for (const [place, key] of keys.entries()) {
      const held = cache.find(key);
      if (held === undefined) places.push(place);
      found.push(held ?? null);
    }
    if (places.length === 0) return found;
    const fetched = await fetch(
      places.map((place) => keys[place] as string),
      undefined,
    );
    for (const [i, place] of places.entries()) found[place] = fetched[i] ?? null;
    return found;
  };

  return {
    ...records,
    read: async (keys, need) => {
      if (keys.length === 0) return [];
      followEpoch();
      if (need === undefined && tracking.isCurrent() && epochOfCache !== undefined) return readThrough(keys);
      bypassed(keys.length);
      // What was not tracked when it was asked for must not be kept.
      return tracking.isOn ? fetch(keys, need) : records.read(keys, need);
    },
  };
}

function epochOrUndefined(epoch: () => string): string | undefined {
  try {
    return epoch();
  } catch {
    return undefined;
  }
}
