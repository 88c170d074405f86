import { redisRecords } from "@tributary/online-store/adapters/redis-records";
import { shapeOf } from "@tributary/online-store/core/shape";
import { recordKey, storeKeys, tombstonesKey } from "@tributary/online-store/core/store-keys";
import { applyWrites } from "@tributary/online-store/handlers/apply-writes";
import { tombstone } from "@tributary/shared/contracts/chunk";
import { partitionOf, partitionToken } from "@tributary/shared/contracts/entity-key";
import { callApi } from "@tributary/shared/messaging/jetstream-api";
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

/** What both stores count of their sweeps, as their metrics tell it. */
async function sweepCount(name: "rounds" | "sections"): Promise<number> {
  const texts = await Promise.all(
    rig.services.names.map(async (service) => (await fetch(`${rig.services.httpUrl(service)}/metrics`)).text()),
  );
  const line = new RegExp(`tributary_store_sweep_${name}_total (\\d+)`);
  return texts.reduce((sum, text) => sum + Number(line.exec(text)?.[1]), 0);
}

/** Whole rounds that began after this call. */
async function swept(): Promise<void> {
  const before = await sweepCount("rounds");
  await until(async () => (await sweepCount("rounds")) >= before + 3, { what: "all records were looked at" });
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
    const taken = await sweepCount("sections");
    await applyWrites(redisRecords(rig.redis), [write(keyOf("SFO"), "forgotten", 9)]);
    await until(async () => (await sweepCount("sections")) > taken, { what: "the section was met" });
    await until(async () => (await rig.redis.strlen(keyOf("SFO"))) === before, { what: "the section is gone" });
    expect(await scoreOf("SFO")).toBe(1);
  });
});

async function scoreOf(code: string): Promise<unknown> {
  return rowOf(await rig.read({ featureService: "tower", keys: [{ code }], features: ["score"] })).score;
}

function write(key: string, view: string, viewVersion: number) {
  const version = { eventTime: 1, incarnation: 0, sequence: 0, minor: 0 };
  return { key, shape: shapeOf(view, viewVersion, ["f"]), cells: [{ feature: "f", version, value: 1 }] };
}
