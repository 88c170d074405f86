import { randomUUID } from "node:crypto";
import type { Lane } from "@tributary/shared/contracts/catalog";
import type { PartitionLife } from "../core/partition-life.ts";
import { floorValue, readFloors } from "../core/progress-fields.ts";
import { storeKeys } from "../core/store-keys.ts";
import type { Floors, StreamPosition } from "../core/stream-position.ts";
import { readHash, runScript, script } from "./redis-script.ts";
import { partitionsTogether, type RedisServers } from "./redis-servers.ts";

/**
 * Lives and floors of the partitions (see partition-life.ts). Each script asks the server for its run id in the same breath in
 * which it writes, so that no floor of before a restart is ever written to what came back. All throw UNAVAILABLE.
 */
export interface Lives {
  /** Writes the floors of partitions that are whole; how every partition stands then. */
  advance(partitions: number, floors: Floors): Promise<readonly PartitionLife[]>;
  /** Begins a life in each partition that has none of this run; the first of several instances decides. */
  begin(partitions: number): Promise<void>;
  /** How far a replay has come; false when the life is over, and then nothing is written. */
  replayed(at: LifeAt, lane: Lane, floor: StreamPosition): Promise<boolean>;
  /** Nothing is missing any more; false when the life is over. */
  complete(at: LifeAt): Promise<boolean>;
}

export interface LifeAt {
  readonly partition: number;
  readonly life: string;
}

const run = "local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')";
const isAlive = "(life and string.sub(life, 1, #run + 1) == run .. ':')";

/**
 * KEYS: floor hashes. ARGV: fields and values. Answers the run and all the hashes, and writes only what is another value: every instance
 * asks several times a second, and what is written goes into the append-only file.
 */
const advance = script(`${run}
local hashes = {}
for i, key in ipairs(KEYS) do
  local life = redis.call('HGET', key, 'life')
  if #ARGV > 0 and ${isAlive} and redis.call('HGET', key, 'whole') == life then
    for j = 1, #ARGV, 2 do
      if redis.call('HGET', key, ARGV[j]) ~= ARGV[j + 1] then redis.call('HSET', key, ARGV[j], ARGV[j + 1]) end
    end
  end
  hashes[i] = redis.call('HGETALL', key)
end
return {run, hashes}`);

/** ARGV: the random part. */
const begin = script(`${run}
local life = redis.call('HGET', KEYS[1], 'life')
if not ${isAlive} then redis.call('HSET', KEYS[1], 'life', run .. ':' .. ARGV[1]) end
return 0`);

/** ARGV: life, field, value. */
const writeInLife = script(`${run}
local life = redis.call('HGET', KEYS[1], 'life')
if life ~= ARGV[1] or not ${isAlive} then return 0 end
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
return 1`);

export function redisLives(redis: RedisServers): Lives {
  const keysOf = (partition: number) => [storeKeys.floor(partition)];
  const each = <T>(partitions: number, act: (partition: number) => Promise<T>) =>
    Promise.all(Array.from({ length: partitions }, (_, partition) => act(partition)));
  const write = async ({ partition, life }: LifeAt, field: string, value: string) =>
    (await runScript(redis, writeInLife, { keys: keysOf(partition), values: [life, field, value] })) === 1;
  return {
    advance: async (partitions, floors) => {
      const values = [...floors].flatMap(([lane, floor]) => [lane, floorValue(floor)]);
      const answers = partitionsTogether(redis, partitions).map(async (together) =>
        readLives(await runScript(redis, advance, { keys: together.flatMap(keysOf), values })),
      );
      return (await Promise.all(answers)).flat();
    },
    begin: async (partitions) => {
      const values = [randomUUID()];
      await each(partitions, (partition) => runScript(redis, begin, { keys: keysOf(partition), values }));
    },
    replayed: (at, lane, floor) => write(at, lane, floorValue(floor)),
    complete: (at) => write(at, "whole", at.life),
  };
}

function readLives(answer: unknown): PartitionLife[] {
  const [run, hashes] = answer as [string, string[][]];
  return hashes.map((flat) => {
    const fields = readHash(flat);
    return { run, life: fields.life, whole: fields.whole, floors: readFloors(fields) };
  });
}
