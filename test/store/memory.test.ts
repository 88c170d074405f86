import { readStreamState } from "@tributary/shared/messaging/stream-state";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { until } from "../support/until.ts";
import { chunkOf, rowOf, type StoreRig, startStoreRig } from "./store-rig.ts";

let rig: StoreRig;
beforeAll(async () => {
  rig = await startStoreRig();
});
afterAll(() => rig?.stop());
beforeEach(() => rig.printLogsOnFailure());

const started = Date.now() - 1_000_000;
const publish = (key: string, round: number) =>
  rig.publish(chunkOf("congestion", [{ key, eventTime: started + round, features: { score: round / 1_000 } }]));

async function score(key: string): Promise<unknown> {
  return rowOf(await rig.read({ featureService: "tower", keys: [{ code: key }], features: ["score"] })).score;
}

async function direct() {
  return (await rig.status()).lanes.find((lane) => lane.lane === "direct");
}

const metrics = async () => (await fetch(`${rig.services.httpUrl("online-store")}/metrics`)).text();

describe("while Redis has reached its maxmemory", () => {
  it("reads go on and are ready, writes wait and say why, and go on when there is memory again", async () => {
    await publish("ORD", 1);
    await rig.settled();
    await rig.redis.config("SET", "maxmemory", "1");
    // More than is ever in hand, and a record that is not there yet.
    await Promise.all(Array.from({ length: 300 }, (_, i) => publish("ORD", 2 + i)));
    await publish("LAX", 7);
    const { waiting } = await until(async () => {
      const lane = await direct();
      return lane?.waiting !== undefined && lane;
    });
    expect(waiting?.why).toBe("redis: its maxmemory is reached");
    expect(await score("ORD")).toBe(0.001);
    expect((await fetch(`${rig.services.httpUrl("online-store")}/readyz`)).status).toBe(200);
    expect(await metrics()).toContain('tributary_store_writes_waiting{lane="direct"} 1');

    await rig.redis.config("SET", "maxmemory", "0");
    await rig.settled();
    expect([await score("ORD"), await score("LAX")]).toEqual([0.301, 0.007]);
    const after = await direct();
    expect([after?.waiting, after?.counters.rejected]).toEqual([undefined, 0]);
    expect(await metrics()).toContain('tributary_store_writes_waiting{lane="direct"} 0');
    expect((await readStreamState(rig.admin, "TRIB_DLQ")).messages).toBe(0);
  });
});

describe("a Redis that is frozen under a write", () => {
  it("is waited for; the write is applied once it is back, and reads say UNAVAILABLE meanwhile", async () => {
    rig.servers.redis.pause();
    await publish("DEN", 5);
    await expect(score("DEN")).rejects.toMatchObject({ code: "UNAVAILABLE" });
    rig.servers.redis.resume();
    await rig.settled();
    expect(await score("DEN")).toBe(0.005);
    expect((await direct())?.counters.rejected).toBe(0);
  });
});
