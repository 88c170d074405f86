import { recordKey } from "@tributary/online-store/core/store-keys";
import { partitionOf } from "@tributary/shared/contracts/entity-key";
import { type Erasure, erasureKey } from "@tributary/shared/contracts/erasure";
import { openBucket } from "@tributary/shared/messaging/bucket";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { until } from "../support/until.ts";
import { copyOfRedis } from "./redis-copy.ts";
import { redisWhole } from "./redis-whole.ts";
import { chunkOf, partitions, rowOf, type StoreRig, startStoreRig } from "./store-rig.ts";

let rig: StoreRig;
beforeAll(async () => {
  rig = await startStoreRig({ services: ["online-store", "online-store-2"] });
});
afterAll(() => rig?.stop());
beforeEach(() => rig.printLogsOnFailure());

const secret = "secret of ORD";
const keyOf = (code: string) => recordKey(partitionOf(code, partitions), "airport", code);
const rawOf = async (code: string) => (await rig.redis.getBuffer(keyOf(code)))?.toString("latin1") ?? "";

async function read(): Promise<{ readonly epoch: string; readonly reason: unknown }> {
  const reply = await rig.read({ featureService: "tower", keys: [{ code: "ORD" }], features: ["reason"] });
  return { epoch: reply.epoch, reason: rowOf(reply).reason };
}

async function askErasure(key: string): Promise<void> {
  const now = Date.now();
  const erasure: Erasure = { format: 1, id: "erase", entity: "airport", key, eventTime: now, requestedAtMs: now };
  const bucket = await openBucket(rig.admin, "TRIB_ERASURES");
  await bucket.create(erasureKey(erasure.id), new TextEncoder().encode(JSON.stringify(erasure)));
}

describe("a Redis that comes back from before an erasure", () => {
  it("is read only when the erasure was applied to it again: nobody sees what was erased (R2)", async () => {
    const row = { key: "ORD", eventTime: Date.now() - 5_000, features: { score: 0.5, reason: secret } };
    await rig.publish(chunkOf("congestion", [row]));
    await rig.settled();
    const copy = copyOfRedis(rig);
    await askErasure("ORD");
    await until(async () => (await read()).reason === null, { what: "it is erased" });
    const before = await read();
    await rig.servers.redis.kill();
    copy.putBack();
    await rig.servers.redis.start();
    const seen: unknown[] = [];
    let isBack = false;
    // As fast as they come, and until every store knows where it stands.
    const reading = Promise.all(
      Array.from({ length: 4 }, async () => {
        while (!isBack) {
          const now = await read().catch(() => undefined);
          if (now !== undefined && now.epoch !== before.epoch) seen.push(now.reason);
        }
      }),
    );
    await redisWhole(rig);
    await until(() => seen.length > 100, { what: "the new epoch is read" });
    isBack = true;
    await reading;
    expect(new Set(seen)).toEqual(new Set([null]));
    expect(await rawOf("ORD")).not.toContain(secret);
  });
});
