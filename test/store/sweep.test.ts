import { redisRecords } from "@tributary/online-store/adapters/redis-records";
import { redisSweep } from "@tributary/online-store/adapters/redis-sweep";
import { shapeOf } from "@tributary/online-store/core/shape";
import { recordKey, storeKeys, tombstonesKey } from "@tributary/online-store/core/store-keys";
import { applyWrites } from "@tributary/online-store/handlers/apply-writes";
import { type SweepOptions, sweepRound } from "@tributary/online-store/handlers/sweep-records";
import { tombstone } from "@tributary/shared/contracts/chunk";
import { partitionOf, partitionToken } from "@tributary/shared/contracts/entity-key";
import { callApi } from "@tributary/shared/messaging/jetstream-api";
import { createLogger } from "@tributary/shared/runtime/logger";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { until } from "../support/until.ts";
import { chunkOf, partitions, rowOf, type StoreRig, startStoreRig } from "./store-rig.ts";

const hour = 3_600_000;
let rig: StoreRig;
beforeAll(async () => {
  const environment = { SWEEP_EVERY_MS: "100", SWEEP_TOMBSTONE_AGE_MS: "0" };
  rig = await startStoreRig({ services: ["online-store", "online-store-2"], environment });
});
afterAll(() => rig?.stop());
beforeEach(() => rig.printLogsOnFailure());

const keyOf = (code: string) => recordKey(partitionOf(code, partitions), "airport", code);
const exists = async (code: string) => (await rig.redis.exists(keyOf(code))) === 1;

/** Rounds of both stores, as their metrics tell them. */
async function rounds(): Promise<number> {
  const texts = await Promise.all(
    rig.services.names.map(async (name) => (await fetch(`${rig.services.httpUrl(name)}/metrics`)).text()),
  );
  return texts.reduce((sum, text) => sum + Number(/tributary_store_sweep_rounds_total (\d+)/.exec(text)?.[1]), 0);
}

/** Whole rounds that began after this call. */
async function swept(): Promise<void> {
  const before = await rounds();
  await until(async () => (await rounds()) >= before + 3, { what: "all records were looked at" });
}

describe("a sweep in the background", () => {
  it("leaves a tombstone while a stream holds anything from before it, and takes it then (V6)", async () => {
    const write = (eventTime: number, score: number | typeof tombstone) =>
      rig.publish(chunkOf("congestion", [{ key: "ORD", eventTime, features: { score } }]));
    const at = Date.now() - 5_000;
    await write(at, 0.5);
    await write(at + 1, tombstone);
    await rig.settled();
    await swept();
    expect(await exists("ORD")).toBe(true);
    await write(at, 0.7);
    await rig.settled();
    expect(await scoreOf("ORD")).toBeNull();

    await callApi(rig.admin, "STREAM.PURGE.TRIB_ROWS_DIRECT");
    await until(async () => !(await exists("ORD")), { what: "the tombstone is gone, and the record with it" });
    const remembered = tombstonesKey(`{${partitionToken(partitionOf("ORD", partitions))}}`);
    await until(async () => (await rig.redis.hlen(remembered)) === 0, { what: "nothing is remembered of it" });
  });

  it("leaves the tombstones of a partition that lacks something, and takes those of the others", async () => {
    const [lacking, whole] = ["DEN", "SEA"];
    const place = partitionOf(lacking, partitions);
    expect(partitionOf(whole, partitions)).not.toBe(place);
    const [floor, holds] = [storeKeys.floor(place), storeKeys.holds(place)];
    const bury = async (loseSomething: () => Promise<unknown>) => {
      for (const key of [lacking, whole])
        await rig.publish(chunkOf("congestion", [{ key, eventTime: Date.now(), features: { score: tombstone } }]));
      await rig.settled();
      await loseSomething();
      await callApi(rig.admin, "STREAM.PURGE.TRIB_ROWS_DIRECT");
      await until(async () => !(await exists(whole)), { what: "the other partition's tombstone is gone" });
      await swept();
      expect(await exists(lacking)).toBe(true);
    };
    const isGone = () => until(async () => !(await exists(lacking)), { what: "nothing is lacking, and it is gone" });

    await bury(() => rig.redis.hset(holds, "direct:1:1:*", "gap"));
    await rig.redis.hdel(holds, "direct:1:1:*");
    await isGone();

    const life = (await rig.redis.hget(floor, "life")) ?? "";
    await bury(async () => {
      // Somebody is about to read again what is missing, and does not come to it.
      await rig.redis.set(storeKeys.replay, "test", "PX", 60_000);
      await rig.redis.hset(floor, "whole", "another");
    });
    await rig.redis.hset(floor, "whole", life);
    await rig.redis.del(storeKeys.replay);
    await isGone();
  });

  it("never takes what is past its ttl: its lane still calls it published (C5)", async () => {
    await rig.publish(
      chunkOf("congestion", [{ key: "LAX", eventTime: Date.now() - 30 * hour, features: { score: 1 } }]),
    );
    await rig.settled();
    await callApi(rig.admin, "STREAM.PURGE.TRIB_ROWS_DIRECT");
    await swept();
    expect(await exists("LAX")).toBe(true);
    const reply = await rig.read({
      featureService: "tower",
      keys: [{ code: "LAX" }],
      features: ["score"],
      detail: true,
    });
    expect(reply.columns[0]?.statuses).toEqual(["OUTSIDE_MAX_AGE"]);
  });

  it("takes a view version that no catalog names, and nothing else of the record", async () => {
    await rig.publish(chunkOf("congestion", [{ key: "SFO", eventTime: Date.now() - 1_000, features: { score: 1 } }]));
    await rig.settled();
    const before = await rig.redis.strlen(keyOf("SFO"));
    await applyWrites(redisRecords(rig.redis), [write(keyOf("SFO"), "forgotten", 9)]);
    expect(await rig.redis.strlen(keyOf("SFO"))).toBeGreaterThan(before);
    await until(async () => (await rig.redis.strlen(keyOf("SFO"))) === before, { what: "the section is gone" });
    expect(await scoreOf("SFO")).toBe(1);
  });
});

describe("a round", () => {
  it("that removes a record under a writer makes the writer look again, also when there is a new one (V6)", async () => {
    const key = recordKey(3, "harbour", "one");
    const records = redisRecords(rig.redis);
    await applyWrites(records, [write(key, "gone", 1)]);
    for (const isRemade of [false, true]) {
      const [previous = null] = await records.read([key]);
      await sweepRound(roundOf(() => false));
      expect(await rig.redis.exists(key)).toBe(0);
      if (isRemade) await applyWrites(records, [write(key, "new", 1)]);
      const late = { key, previous, bytes: previous as Buffer, shapes: [] };
      expect(await records.replace([late]), `remade: ${isRemade}`).toEqual([key]);
      await applyWrites(records, [write(key, "gone", 1)]);
    }
  });

  it("goes on where the one before it stopped", async () => {
    const stopped = new AbortController();
    const counters = { rounds: 0, records: 0, tombstones: 0, sections: 0, removed: 0 };
    const many = Array.from({ length: 2_000 }, (_, i) => write(recordKey(i % 32, "harbour", `k${i}`), "congestion", 1));
    await applyWrites(redisRecords(rig.redis), many);
    const options = { ...roundOf(() => true), counters };
    stopped.abort();
    await sweepRound(options, stopped.signal);
    expect(counters).toMatchObject({ rounds: 0 });
    const first = counters.records;
    expect(await options.store.position()).not.toBe("0");
    await sweepRound(options);
    expect(counters.rounds).toBe(1);
    expect(first).toBeLessThan(2_000);
    expect(counters.records).toBeGreaterThanOrEqual(2_000);
  });
});

async function scoreOf(code: string): Promise<unknown> {
  return rowOf(await rig.read({ featureService: "tower", keys: [{ code }], features: ["score"] })).score;
}

function write(key: string, view: string, viewVersion: number) {
  const version = { eventTime: 1, incarnation: 0, sequence: 0, minor: 0 };
  return { key, shape: shapeOf(view, viewVersion, ["f"]), cells: [{ feature: "f", version, value: 1 }] };
}

/** A round of this process, with a place of its own to go on from. */
function roundOf(isNamed: (section: string) => boolean): SweepOptions {
  const store = redisSweep(rig.redis);
  let position = "0";
  return {
    records: redisRecords(rig.redis),
    store: {
      ...store,
      position: async () => position,
      savePosition: async (cursor) => {
        position = cursor;
      },
      scan: async (cursor, count) => {
        const page = await store.scan(cursor, count);
        return { ...page, keys: page.keys.filter((key) => key.includes(":harbour:")) };
      },
    },
    sections: { has: isNamed, refresh: async () => undefined },
    lease: { take: async () => true, renew: async () => true, release: async () => undefined },
    oldestMs: async () => Number.POSITIVE_INFINITY,
    incomplete: async () => new Set(),
    counters: { rounds: 0, records: 0, tombstones: 0, sections: 0, removed: 0 },
    logger: createLogger({ name: "test", level: "silent" }),
    everyMs: 1,
    recordsPerSecond: 1_000_000,
    tombstoneAgeMs: 0,
  };
}
