import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chunkOf, rowOf, type StoreRig, startStoreRig } from "./store-rig.ts";

let rig: StoreRig;
beforeAll(async () => {
  rig = await startStoreRig();
});
afterAll(() => rig?.stop());

describe("a row of the direct lane", () => {
  it("is read back over NATS with its version's event time", async () => {
    rig.printLogsOnFailure();
    const now = Date.now();
    await rig.publish(
      chunkOf("congestion", [{ key: "ORD", eventTime: now - 1000, features: { score: 0.5, reason: "fog" } }]),
    );
    await rig.settled();
    const reply = await rig.read({ featureService: "tower", keys: [{ code: "ORD" }, { code: "LAX" }], detail: true });
    expect(rowOf(reply)).toEqual({ score: 0.5, reason: "fog", embedding: null, raw: null });
    console.log(JSON.stringify(reply), JSON.stringify(await rig.status()));
  });
});
