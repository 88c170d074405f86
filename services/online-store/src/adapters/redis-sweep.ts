import type { Redis } from "ioredis";
import { groupBy } from "../core/group-by.ts";
import { isRecordKey, slotOf, storeKeys, tombstonesKey } from "../core/store-keys.ts";
import type { Sighting } from "../core/sweep-record.ts";
import { answerOf } from "./redis-client.ts";

/** The way round all records, and what a sweep remembers of it. All throw UNAVAILABLE. */
export interface SweepStore {
  /** Where the round stands: "0" at its beginning and its end. */
  position(): Promise<string>;
  savePosition(cursor: string): Promise<void>;
  /** The next records' keys: some, none or a key twice. */
  scan(cursor: string, count: number): Promise<{ readonly cursor: string; readonly keys: string[] }>;
  sightings(keys: readonly string[]): Promise<ReadonlyMap<string, Sighting>>;
  note(sightings: ReadonlyMap<string, Sighting>): Promise<void>;
  forget(keys: readonly string[]): Promise<void>;
}

export function redisSweep(redis: Redis): SweepStore {
  const bySlot = async (keys: readonly string[], act: (slot: string, own: string[]) => Promise<void>) => {
    await Promise.all([...groupBy(keys, slotOf)].map(([slot, own]) => act(slot, own)));
  };
  return {
    position: async () => (await answerOf(redis.get(storeKeys.sweepPosition))) ?? "0",
    savePosition: async (cursor) => void (await answerOf(redis.set(storeKeys.sweepPosition, cursor))),
    scan: async (cursor, count) => {
      const [next, keys] = await answerOf(redis.scan(cursor, "MATCH", "{p*}:*", "COUNT", count));
      return { cursor: next, keys: [...new Set(keys.filter(isRecordKey))] };
    },
    sightings: async (keys) => {
      const found = new Map<string, Sighting>();
      await bySlot(keys, async (slot, own) => {
        const texts = await answerOf(redis.hmget(tombstonesKey(slot), ...own));
        for (const [i, key] of own.entries()) {
          const [nonce, atMs] = texts[i]?.split(":") ?? [];
          if (nonce !== undefined) found.set(key, { nonce, atMs: Number(atMs) });
        }
      });
      return found;
    },
    note: (sightings) =>
      bySlot([...sightings.keys()], async (slot, own) => {
        const fields = own.flatMap((key) => {
          const sighting = sightings.get(key);
          return sighting === undefined ? [] : [key, `${sighting.nonce}:${sighting.atMs}`];
        });
        await answerOf(redis.hset(tombstonesKey(slot), ...fields));
      }),
    forget: (keys) => bySlot(keys, async (slot, own) => void (await answerOf(redis.hdel(tombstonesKey(slot), ...own)))),
  };
}
