import { partitionOf, partitionToken } from "@tributary/shared/contracts/entity-key";
import { subjects } from "@tributary/shared/contracts/subjects";
import { callApi } from "@tributary/shared/messaging/jetstream-api";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { redisWhole } from "./redis-whole.ts";
import { chunkOf, confirmationOf, partitions, type StoreRig, startStoreRig } from "./store-rig.ts";

const minute = 60_000;
let rig: StoreRig;
beforeAll(async () => {
  rig = await startStoreRig();
});
afterAll(() => rig?.stop());
beforeEach(() => rig.printLogsOnFailure());

const route = "ORD\u001fLAX";
const partition = partitionOf(route, partitions);
const stamp = { incarnation: 0, sequence: 1, minor: 0 };
const row = (flights28d: number) => ({
  key: route,
  eventTime: Date.now() - 39 * minute,
  features: { flights28d },
  stamp,
});
const publishRow = (flights28d: number) => rig.publish(chunkOf("route_profile", [row(flights28d)]));

/** The view's whole partition again, with its original version, and the confirmation behind it. */
async function republish(flights28d: number, confirmedAtMs = Date.now() - minute): Promise<void> {
  const { sequence: since } = await publishRow(flights28d);
  await rig.publish({ ...confirmationOf("route_profile", route, confirmedAtMs), whole: true, since });
  await rig.settled();
}

async function read() {
  const keys = [{ origin: "ORD", destination: "LAX" }];
  const reply = await rig.read({ featureService: "boarding", keys, features: ["flights28d"], detail: true });
  return { value: reply.columns[0]?.values[0], fresh: reply.columns[0]?.fresh?.[0] };
}

const holds = () => rig.redis.hkeys(`{${partitionToken(partition)}}!holds`);
const gapViews = async () => (await rig.status()).lanes.find(({ lane }) => lane === "batch")?.gapViews;

describe("what a republish makes good", () => {
  it("is a message that was set aside: its hold goes, and confirmations count again", async () => {
    await publishRow(1);
    await rig.publishBytes(subjects.rows("batch", partition, "route_profile"), "batch", new Uint8Array([1]));
    await rig.publish(confirmationOf("route_profile", route, Date.now() - minute));
    await rig.settled();
    expect([(await holds()).length, await read()]).toEqual([1, { value: 1, fresh: false }]);
    await republish(1);
    expect([await holds(), await read()]).toEqual([[], { value: 1, fresh: true }]);
  });

  it("is what Redis lost and the stream holds no longer, once every partition has it", async () => {
    await callApi(rig.admin, "STREAM.PURGE.TRIB_ROWS_BATCH");
    await rig.redis.flushall();
    await redisWhole(rig);
    const all = Array.from({ length: partitions }, (_, i) => i);
    expect(await gapViews()).toEqual({ route_profile: all });
    await republish(1);
    expect([await holds(), await read()]).toEqual([[], { value: 1, fresh: true }]);
    expect(await gapViews()).toEqual({ route_profile: all.filter((one) => one !== partition) });
    for (const other of all) {
      const nothing = { ...confirmationOf("route_profile", route, 0), partition: other, whole: true as const };
      await rig.publish(nothing);
    }
    await rig.settled();
    expect(await gapViews()).toBeUndefined();
    expect(await read()).toEqual({ value: 1, fresh: true });
  });

  it("is read again from the stream with it, but not where the rows sent again are gone", async () => {
    await rig.redis.flushall();
    await redisWhole(rig);
    expect([await holds(), await read()]).toEqual([[], { value: 1, fresh: true }]);
    const { lastSequence } = (await rig.status()).lanes.find(({ lane }) => lane === "batch") ?? { lastSequence: 0 };
    await republish(1);
    // The row goes, the confirmation behind it stays.
    await callApi(rig.admin, "STREAM.PURGE.TRIB_ROWS_BATCH", { seq: lastSequence + 2 });
    await rig.redis.flushall();
    await redisWhole(rig);
    expect((await holds()).length).toBe(1);
    expect((await gapViews())?.route_profile).toContain(partition);
    await republish(1);
    expect([await holds(), await read()]).toEqual([[], { value: 1, fresh: true }]);
  });
});
