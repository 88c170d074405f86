import type { Hold, PartitionProgress, PendingConfirmation } from "../core/confirmation.ts";
import type { Filled } from "../core/filled.ts";
import {
  holdField,
  pendingField,
  pendingValue,
  readConfirmed,
  readFilled,
  readHolds,
  readPending,
} from "../core/progress-fields.ts";
import { storeKeys } from "../core/store-keys.ts";
import type { Floors } from "../core/stream-position.ts";
import type { LifeAt } from "./redis-lives.ts";
import { readHash, runScript, script } from "./redis-script.ts";
import { ask, partitionsTogether, type RedisServers } from "./redis-servers.ts";

/** What the store knows about its own progress, kept beside the data it speaks of (R1). All throw UNAVAILABLE. */
export interface Progress {
  /** @param floors of every partition, read before: what is read now is at least as new, so no hold that one has passed is missed */
  load(floors: readonly Floors[]): Promise<PartitionProgress[]>;
  addHolds(holds: readonly (Hold & { readonly partition: number; readonly why: string })[]): Promise<void>;
  /** Holds that are not there are no error: a replay may come twice. */
  liftHolds(holds: readonly (Hold & { readonly partition: number })[]): Promise<void>;
  addPending(entries: readonly (PendingConfirmation & { readonly partition: number })[]): Promise<void>;
  /** Raises what counts and is filled, forgets the holds that lifts, then what need not wait any longer; nothing when the life is over. */
  settle(at: LifeAt, settled: Settled): Promise<void>;
}

/** What a look at one partition has found out. */
export interface Settled {
  readonly confirmed: ReadonlyMap<string, number>;
  readonly filled: Filled;
  readonly lifted: readonly Hold[];
  readonly done: readonly PendingConfirmation[];
}

/**
 * Two instances may settle at once, the slower one with less: what counts and is filled only grows. Judged by the floors of a life
 * that is over it must not count: the data below them may be gone, and a hold of the same name may have been written for that.
 * KEYS: confirmed, floor hash, filled, holds. ARGV: life; how many confirmed, then ids and instants; how many filled, then ids,
 * incarnations and sequences; the fields of holds.
 */
const raise = script(`
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
if redis.call('HGET', KEYS[2], 'life') ~= ARGV[1] or string.sub(ARGV[1], 1, #run + 1) ~= run .. ':' then return 0 end
local i = 3
for _ = 1, tonumber(ARGV[2]) do
  local known = tonumber(redis.call('HGET', KEYS[1], ARGV[i]))
  if not known or known < tonumber(ARGV[i + 1]) then redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
  i = i + 2
end
local fills = tonumber(ARGV[i])
i = i + 1
for _ = 1, fills do
  local incarnation, sequence = string.match(redis.call('HGET', KEYS[3], ARGV[i]) or '0:0', '(%d+):(%d+)')
  local a, b = tonumber(ARGV[i + 1]), tonumber(incarnation)
  if a > b or (a == b and tonumber(ARGV[i + 2]) > tonumber(sequence)) then
    redis.call('HSET', KEYS[3], ARGV[i], ARGV[i + 1] .. ':' .. ARGV[i + 2])
  end
  i = i + 3
end
for j = i, #ARGV do redis.call('HDEL', KEYS[4], ARGV[j]) end
return 1`);

export function redisProgress(redis: RedisServers): Progress {
  return {
    load: async (floors) => {
      const loaded = partitionsTogether(redis, floors.length).map((together) => load(redis, together, floors));
      return (await Promise.all(loaded)).flat();
    },
    addHolds: async (holds) => {
      await Promise.all(
        holds.map((hold) => {
          const key = storeKeys.holds(hold.partition);
          return ask(redis, key, (server) => server.hset(key, holdField(hold), hold.why));
        }),
      );
    },
    liftHolds: async (holds) => {
      await Promise.all(
        holds.map((hold) => {
          const key = storeKeys.holds(hold.partition);
          return ask(redis, key, (server) => server.hdel(key, holdField(hold)));
        }),
      );
    },
    addPending: async (entries) => {
      await Promise.all(
        entries.map((entry) => {
          const key = storeKeys.pending(entry.partition);
          return ask(redis, key, (server) => server.hset(key, pendingField(entry), pendingValue(entry)));
        }),
      );
    },
    settle: async ({ partition, life }, settled) => {
      const keys = [storeKeys.confirmed, storeKeys.floor, storeKeys.filled, storeKeys.holds].map((key) =>
        key(partition),
      );
      const isRaised = await runScript(redis, raise, { keys, values: [life, ...raised(settled)] });
      const pending = storeKeys.pending(partition);
      if (isRaised === 1 && settled.done.length > 0)
        await ask(redis, pending, (server) => server.hdel(pending, ...settled.done.map(pendingField)));
    },
  };
}

function raised({ confirmed, filled, lifted }: Settled): (string | number)[] {
  const fills = [...filled].flatMap(([id, { incarnation, sequence }]) => [id, incarnation, sequence]);
  return [confirmed.size, ...[...confirmed].flat(), filled.size, ...fills, ...lifted.map(holdField)];
}

/** In the order of `readAll`'s answers. */
const hashesOfPartition = [storeKeys.holds, storeKeys.pending, storeKeys.filled, storeKeys.confirmed];

/** One command for all of them: by itself each would be a write to the socket, several hundred a second. */
const readAll = script(`
local hashes = {}
for i, key in ipairs(KEYS) do hashes[i] = redis.call('HGETALL', key) end
return hashes`);

async function load(
  redis: RedisServers,
  partitions: readonly number[],
  floors: readonly Floors[],
): Promise<PartitionProgress[]> {
  const keys = partitions.flatMap((partition) => hashesOfPartition.map((key) => key(partition)));
  const flat = (await runScript(redis, readAll, { keys, values: [] })) as string[][];
  return partitions.map((partition, i) => {
    const own = flat.slice(i * hashesOfPartition.length, (i + 1) * hashesOfPartition.length).map(readHash);
    const [holds = {}, pending = {}, filled = {}, confirmed = {}] = own;
    return {
      floors: floors[partition] ?? new Map(),
      holds: readHolds(holds),
      pending: readPending(pending),
      filled: readFilled(filled),
      confirmed: readConfirmed(confirmed),
    };
  });
}
