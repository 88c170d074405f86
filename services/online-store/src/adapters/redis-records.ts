import { groupBy } from "../core/group-by.ts";
import { nonceOf } from "../core/record.ts";
import { type Shape, shapeField } from "../core/shape.ts";
import { shapesKey, slotOf } from "../core/store-keys.ts";
import { joinReads } from "./joined-reads.ts";
import { answerOf } from "./redis-client.ts";
import { type KnownRun, readFromCluster } from "./redis-cluster-read.ts";
import { runScript, script } from "./redis-script.ts";
import { isCluster, type RedisServers } from "./redis-servers.ts";
import { redisShapes, type Shapes } from "./redis-shapes.ts";

/** The records of entities, as bytes. */
export interface Records {
  readonly shapes: Shapes;
  /**
   * In the order of the keys; null where there is none.
   * @param need `latest`: as Redis has them from now on, though they may be known from before
   * @throws TributaryError UNAVAILABLE
   */
  read(keys: readonly string[], need?: "latest"): Promise<readonly (Buffer | null)[]>;
  /**
   * Replaces each record if it still is the one that was read; the keys of those that are not.
   * @throws TributaryError UNAVAILABLE; some may be replaced then
   */
  replace(replacements: readonly Replacement[]): Promise<string[]>;
}

export interface Replacement {
  readonly key: string;
  readonly previous: Buffer | null;
  /** Null: no record any more. */
  readonly bytes: Buffer | null;
  /** What the bytes name: must stand in Redis before they do. */
  readonly shapes: Iterable<Shape>;
}

/**
 * KEYS: the partition's shapes, then the records. ARGV: number of shapes, their ids, then one string for all records, because an argument
 * each is much work for client and server. In it for each: a byte with the nonce's length, the nonce, the length of the bytes as
 * uint32, the bytes, least byte first. Bytes 1 to 8 of a record are its nonce; a missing record answers an empty string, and
 * empty bytes remove one. Returns the places of the conflicts; or, when a shape is not there, only the places of the missing
 * shapes, negative, and nothing is written.
 */
const compareAndSet = script(`
local shapes = tonumber(ARGV[1])
local missing = {}
for i = 1, shapes do
  if redis.call('HEXISTS', KEYS[1], ARGV[1 + i]) == 0 then missing[#missing + 1] = -i end
end
if #missing > 0 then return missing end
local packed = ARGV[shapes + 2]
local conflicts = {}
local nonce, bytes
local at = 1
for i = 2, #KEYS do
  nonce, bytes, at = struct.unpack('<Bc0I4c0', packed, at)
  if redis.call('GETRANGE', KEYS[i], 1, 8) == nonce then
    if bytes == '' then redis.call('DEL', KEYS[i]) else redis.call('SET', KEYS[i], bytes) end
  else
    conflicts[#conflicts + 1] = i - 1
  end
end
return conflicts`);

const nothing = Buffer.alloc(0);
/** A script blocks the server while it runs. */
const replacementsMax = 500;
/** A record is some kilobytes at most. */
const joinedKeysMax = 128;

/** @param knownRun for records that are read for others: on a cluster only answers of the run that was looked at count */
export function redisRecords(redis: RedisServers, knownRun?: KnownRun): Records {
  const shapes = redisShapes(redis);
  const read = isCluster(redis)
    ? (keys: readonly string[]) => readFromCluster(redis, keys, knownRun)
    : joinReads((keys) => answerOf(redis.mgetBuffer(...keys)), joinedKeysMax);
  return {
    shapes,
    read: async (keys) => (keys.length === 0 ? [] : read(keys)),
    replace: async (replacements) => {
      const conflicts = await Promise.all(batchesOf(replacements).map((batch) => replaceBatch(redis, shapes, batch)));
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

async function replaceBatch(redis: RedisServers, known: Shapes, batch: readonly Replacement[]): Promise<string[]> {
  const slot = slotOf(batch[0]?.key ?? "");
  const keys = batch.map((replacement) => replacement.key);
  const shapes = new Map<number, Shape>();
  for (const replacement of batch) for (const shape of replacement.shapes) shapes.set(shape.id, shape);
  const packed = packReplacements(batch);
  const ids = [...shapes.keys()].map(shapeField);
  const attempt = async () =>
    (await runScript(redis, compareAndSet, {
      keys: [shapesKey(slot), ...keys],
      values: [ids.length, ...ids, packed],
    })) as number[];
  let places = await attempt();
  if (places.some((place) => place < 0)) {
    await known.register(slot, shapes.values());
    places = await attempt();
  }
  return places.map((place) => keys[place - 1] as string);
}

function packReplacements(batch: readonly Replacement[]): Buffer {
  const parts = batch.map(({ previous, bytes }) => ({
    nonce: previous === null ? nothing : nonceOf(previous),
    bytes: bytes ?? nothing,
  }));
  const size = parts.reduce((sum, { nonce, bytes }) => sum + 1 + nonce.length + 4 + bytes.length, 0);
  const packed = Buffer.allocUnsafe(size);
  let at = 0;
  for (const { nonce, bytes } of parts) {
    at = packed.writeUInt8(nonce.length, at);
    packed.set(nonce, at);
    at = packed.writeUInt32LE(bytes.length, at + nonce.length);
    packed.set(bytes, at);
    at += bytes.length;
  }
  return packed;
}
