import { type Servers, startServers } from "@tributary/local/servers";
import type { RedisConnection } from "@tributary/online-store/adapters/redis-client";
import { openRedis } from "@tributary/online-store/adapters/redis-client";
import { redisLives } from "@tributary/online-store/adapters/redis-lives";
import { redisProgress } from "@tributary/online-store/adapters/redis-progress";
import type { Hold } from "@tributary/online-store/core/confirmation";
import { epochOf, isAlive, isWhole } from "@tributary/online-store/core/partition-life";
import { createLogger } from "@tributary/shared/runtime/logger";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { until } from "../support/until.ts";

const directory = temporaryDirectory("lives");
let servers: Servers;
let redis: RedisConnection;
beforeAll(async () => {
  servers = await startServers({ directory: directory.path, need: ["redis"], fsync: false });
  const logger = createLogger({ name: "lives", level: "silent" });
  redis = await openRedis({ url: servers.redis.url, name: "lives", logger, commandTimeoutMs: 5_000 });
});
afterAll(async () => {
  redis?.disconnect();
  await servers?.stop();
  directory.remove();
});

const at = (sequence: number) => ({ incarnation: 1, sequence });
const floors = (sequence: number) => new Map([["direct", at(sequence)] as const]);

/** One partition, whole, with its floor at 10. */
async function wholeAtTen() {
  await redis.flushall();
  const lives = redisLives(redis);
  await lives.begin(1);
  const [begun] = await lives.advance(1, new Map());
  const life = { partition: 0, life: begun?.life ?? "" };
  await lives.complete(life);
  await lives.advance(1, floors(10));
  const now = async () => {
    const [one] = await lives.advance(1, new Map());
    if (one === undefined) throw new Error("no partition");
    return { isAlive: isAlive(one), isWhole: isWhole(one), floor: one.floors.get("direct")?.sequence };
  };
  return { lives, life, now };
}

async function restart(): Promise<void> {
  await servers.redis.kill();
  await servers.redis.start();
  await until(async () => (await redis.ping()) === "PONG");
}

let store: Awaited<ReturnType<typeof wholeAtTen>>;
beforeEach(async () => {
  store = await wholeAtTen();
});

describe("the floor that a server holds", () => {
  it("follows the broker's while nothing is missing", async () => {
    expect(await store.now()).toEqual({ isAlive: true, isWhole: true, floor: 10 });
  });

  it("stays where it is when the server was restarted, whatever the broker says", async () => {
    await restart();
    await store.lives.advance(1, floors(20));
    expect(await store.now()).toEqual({ isAlive: false, isWhole: false, floor: 10 });
  });

  it("follows the replay alone until that is complete", async () => {
    await restart();
    await store.lives.begin(1);
    const [begun] = await store.lives.advance(1, floors(20));
    const life = { partition: 0, life: begun?.life ?? "" };
    expect(await store.lives.replayed(life, "direct", at(15))).toBe(true);
    await store.lives.advance(1, floors(20));
    expect(await store.now()).toEqual({ isAlive: true, isWhole: false, floor: 15 });
    expect(await store.lives.complete(life)).toBe(true);
    await store.lives.advance(1, floors(20));
    expect(await store.now()).toEqual({ isAlive: true, isWhole: true, floor: 20 });
  });

  it("is not raised by what began before a restart or an emptying", async () => {
    const isOver = async () => [
      await store.lives.replayed(store.life, "direct", at(15)),
      await store.lives.complete(store.life),
    ];
    await redis.flushall();
    await store.lives.begin(1);
    expect(await isOver()).toEqual([false, false]);
    expect(await store.now()).toEqual({ isAlive: true, isWhole: false, floor: undefined });
    store = await wholeAtTen();
    await restart();
    expect(await isOver()).toEqual([false, false]);
    expect(await store.now()).toEqual({ isAlive: false, isWhole: false, floor: 10 });
  });

  it("of before a restart lets nothing count after it, and lifts no hold", async () => {
    const progress = redisProgress(redis);
    const settled = (value: number, lifted: readonly Hold[] = []) => ({
      confirmed: new Map([["view:1", value]]),
      filled: new Map([["direct:view:1", at(value)]]),
      lifted,
      done: [],
    });
    const now = async () => {
      const [one] = await progress.load([new Map()]);
      return [one?.confirmed.get("view:1"), one?.filled.get("direct:view:1")?.sequence, one?.holds.length];
    };
    const holds = [3, 4].map((sequence) => ({ lane: "direct" as const, view: "view", ...at(sequence) }));
    await progress.addHolds(holds.map((hold) => ({ ...hold, partition: 0, why: "test" })));
    await progress.settle(store.life, settled(9, holds.slice(0, 1)));
    expect(await now()).toEqual([9, 9, 1]);
    await progress.settle(store.life, settled(5));
    expect(await now()).toEqual([9, 9, 1]);
    await restart();
    await progress.settle(store.life, settled(12, holds));
    expect(await now()).toEqual([9, 9, 1]);
  });
});

it("two instances that see one loss begin one epoch, and another loss is another epoch", async () => {
  const { lives } = store;
  const seen = async () => epochOf(await lives.advance(1, new Map()));
  const before = await seen();
  await restart();
  await Promise.all([lives.begin(1), redisLives(redis).begin(1)]);
  const after = await seen();
  await lives.begin(1);
  expect([after === before, await seen()]).toEqual([false, after]);
  await redis.flushall();
  await lives.begin(1);
  expect([before, after]).not.toContain(await seen());
});
