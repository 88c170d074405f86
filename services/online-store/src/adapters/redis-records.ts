import type { Redis } from "ioredis";
import { groupBy } from "../core/group-by.ts";
import { nonceOf } from "../core/record.ts";
import { slotOf } from "../core/store-keys.ts";
import { answerOf } from "./redis-client.ts";
import { runScript, script } from "./redis-script.ts";

/** The records of entities, as bytes. */
export interface Records {
  /** In the order of the keys; null where there is none. @throws TributaryError UNAVAILABLE */
  read(keys: readonly string[]): Promise<(Buffer | null)[]>;
  /**
   * Replaces each record if it still is the one that was read; the keys of those that are not.
   * @throws TributaryError UNAVAILABLE; some may be replaced then
   */
  replace(replacements: readonly Replacement[]): Promise<string[]>;
}

export interface Replacement {
  readonly key: string;
  readonly previous: Buffer | null;
  readonly bytes: Buffer;
}

/** Bytes 1 to 8 of a record are its nonce; a missing record answers an empty string. Returns the places of the conflicts. */
const compareAndSet = script(`
local conflicts = {}
for i, key in ipairs(KEYS) do
  if redis.call('GETRANGE', key, 1, 8) == ARGV[2 * i - 1] then
    redis.call('SET', key, ARGV[2 * i])
  else
    conflicts[#conflicts + 1] = i
  end
end
return conflicts`);

const nothing = Buffer.alloc(0);
/** A script blocks the server while it runs. */
const replacementsMax = 500;

export function redisRecords(redis: Redis): Records {
  return {
    read: async (keys) => (keys.length === 0 ? [] : answerOf(redis.mgetBuffer(...keys))),
    replace: async (replacements) => {
      const conflicts = await Promise.all(batchesOf(replacements).map((batch) => replaceBatch(redis, batch)));
      return conflicts.flat();
    },
  };
}

/** One slot a script, as a cluster demands. */
function batchesOf(replacements: readonly Replacement[]): Replacement[][] {
  const bySlot = groupBy(replacements, (replacement) => slotOf(replacement.key));
  return [...bySlot.values()].flatMap((all) => {
    const batches: Replacement[][] = [];
    for (let i = 0; i < all.length; i += replacementsMax) batches.push(all.slice(i, i + replacementsMax));
    return batches;
  });
}

async function replaceBatch(redis: Redis, batch: readonly Replacement[]): Promise<string[]> {
  const keys = batch.map((replacement) => replacement.key);
  const values = batch.flatMap(({ previous, bytes }) => [previous === null ? nothing : nonceOf(previous), bytes]);
  const places = (await runScript(redis, compareAndSet, { keys, values })) as number[];
  return places.map((place) => keys[place - 1] as string);
}
