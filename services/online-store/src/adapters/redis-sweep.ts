import { groupBy } from "../core/group-by.ts";
import { isRecordKey, slotOf, storeKeys, tombstonesKey } from "../core/store-keys.ts";
import type { Sighting } from "../core/sweep-record.ts";
import { scanServers } from "./redis-scan.ts";
import { ask, type RedisServers } from "./redis-servers.ts";

/** The way round all records, and what a sweep remembers of it. All throw UNAVAILABLE. */
export interface SweepStore {
  /** Where the round stands: "0" at its beginning and its end; else a cursor of SCAN, on a cluster with its server before it. */
  position(): Promise<string>;
  savePosition(cursor: string): Promise<void>;
  /** The next records' keys: some, none or a key twice. */
  scan(cursor: string, count: number): Promise<{ readonly cursor: string; readonly keys: string[] }>;
  sightings(keys: readonly string[]): Promise<ReadonlyMap<string, Sighting>>;
  note(sightings: ReadonlyMap<string, Sighting>): Promise<void>;
  forget(keys: readonly string[]): Promise<void>;
}

const positionKey = storeKeys.sweepPosition;

export function redisSweep(redis: RedisServers): SweepStore {
  const bySlot = async (keys: readonly string[], act: (slot: string, own: string[]) => Promise<void>) => {
    await Promise.all([...groupBy(keys, slotOf)].map(([slot, own]) => act(slot, own)));
  };
  return {
    position: async () => (await ask(redis, positionKey, (server) => server.get(positionKey))) ?? "0",
    savePosition: async (cursor) => void (await ask(redis, positionKey, (server) => server.set(positionKey, cursor))),
    scan: async (cursor, count) => {
      const page = await scanServers(redis, cursor, { match: "{p*}:*", count });
      return { cursor: page.cursor, keys: [...new Set(page.keys.filter(isRecordKey))] };
    },
    sightings: async (keys) => {
      const found = new Map<string, Sighting>();
      await bySlot(keys, async (slot, own) => {
        const texts = await ask(redis, slot, (server) => server.hmget(tombstonesKey(slot), ...own));
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
        await ask(redis, slot, (server) => server.hset(tombstonesKey(slot), ...fields));
      }),
    forget: (keys) =>
      bySlot(keys, async (slot, own) => {
        await ask(redis, slot, (server) => server.hdel(tombstonesKey(slot), ...own));
      }),
  };
}
