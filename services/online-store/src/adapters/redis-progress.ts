import type { Lane } from "@tributary/shared/contracts/catalog";
import type { Redis } from "ioredis";
import type { Hold, PartitionProgress, PendingConfirmation, StreamPosition } from "../core/confirmation.ts";
import {
  floorValue,
  holdField,
  pendingField,
  readConfirmed,
  readFloors,
  readHolds,
  readPending,
} from "../core/progress-fields.ts";
import { storeKeys } from "../core/store-keys.ts";
import { answerOf } from "./redis-client.ts";
import { runScript, script } from "./redis-script.ts";

/** What the store knows about its own progress, kept beside the data it speaks of (R1). All throw UNAVAILABLE. */
export interface Progress {
  epoch(): Promise<string | null>;
  /** The epoch that holds then: this one, or another instance's that was first. */
  beginEpoch(id: string): Promise<string>;
  load(partitions: number): Promise<PartitionProgress[]>;
  writeFloors(partitions: number, floors: ReadonlyMap<Lane, StreamPosition>): Promise<void>;
  addHolds(holds: readonly (Hold & { readonly partition: number; readonly why: string })[]): Promise<void>;
  /** Holds that are not there are no error: a replay may come twice. */
  liftHolds(holds: readonly (Hold & { readonly partition: number })[]): Promise<void>;
  addPending(entries: readonly (PendingConfirmation & { readonly partition: number })[]): Promise<void>;
  /** Raises what counts, then forgets what need not wait any longer. */
  settle(
    partition: number,
    confirmed: ReadonlyMap<string, number>,
    done: readonly PendingConfirmation[],
  ): Promise<void>;
}

/** Two instances may settle at once, the slower one with less: what counts only grows. */
const raise = script(`
for i = 1, #ARGV, 2 do
  local known = tonumber(redis.call('HGET', KEYS[1], ARGV[i]))
  if not known or known < tonumber(ARGV[i + 1]) then redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
end
return 0`);

export function redisProgress(redis: Redis): Progress {
  return {
    epoch: () => answerOf(redis.get(storeKeys.epoch)),
    beginEpoch: async (id) => {
      await answerOf(redis.set(storeKeys.epoch, id, "NX"));
      return (await answerOf(redis.get(storeKeys.epoch))) ?? id;
    },
    load: (partitions) => Promise.all(Array.from({ length: partitions }, (_, partition) => load(redis, partition))),
    writeFloors: async (partitions, floors) => {
      const fields = Object.fromEntries([...floors].map(([lane, floor]) => [lane, floorValue(floor)]));
      if (floors.size === 0) return;
      await forEachPartition(partitions, (partition) => answerOf(redis.hset(storeKeys.floor(partition), fields)));
    },
    addHolds: async (holds) => {
      await Promise.all(
        holds.map((hold) => answerOf(redis.hset(storeKeys.holds(hold.partition), holdField(hold), hold.why))),
      );
    },
    liftHolds: async (holds) => {
      await Promise.all(holds.map((hold) => answerOf(redis.hdel(storeKeys.holds(hold.partition), holdField(hold)))));
    },
    addPending: async (entries) => {
      await Promise.all(
        entries.map((entry) =>
          answerOf(redis.hset(storeKeys.pending(entry.partition), pendingField(entry), entry.confirmedAtMs)),
        ),
      );
    },
    settle: async (partition, confirmed, done) => {
      const values = [...confirmed].flat();
      if (values.length > 0) await runScript(redis, raise, { keys: [storeKeys.confirmed(partition)], values });
      if (done.length > 0) await answerOf(redis.hdel(storeKeys.pending(partition), ...done.map(pendingField)));
    },
  };
}

async function load(redis: Redis, partition: number): Promise<PartitionProgress> {
  // The floor first: what is read after it is at least as new, so no hold that it has passed is missed.
  const [floors, holds, pending, confirmed] = await Promise.all([
    answerOf(redis.hgetall(storeKeys.floor(partition))),
    answerOf(redis.hgetall(storeKeys.holds(partition))),
    answerOf(redis.hgetall(storeKeys.pending(partition))),
    answerOf(redis.hgetall(storeKeys.confirmed(partition))),
  ]);
  return {
    floors: readFloors(floors),
    holds: readHolds(holds),
    pending: readPending(pending),
    confirmed: readConfirmed(confirmed),
  };
}

async function forEachPartition(partitions: number, act: (partition: number) => Promise<unknown>): Promise<void> {
  await Promise.all(Array.from({ length: partitions }, (_, partition) => act(partition)));
}
