import { partitionOf } from "@tributary/shared/contracts/entity-key";
import { callApi } from "@tributary/shared/messaging/jetstream-api";
import { readStoredMessage } from "@tributary/shared/messaging/stream-message";
import { readStreamState } from "@tributary/shared/messaging/stream-state";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { until } from "../support/until.ts";
import { chunkOf, partitions, rowOf, type StoreRig, startStoreRig } from "./store-rig.ts";

const stream = "TRIB_ROWS_DIRECT";
const maxBytes = 2 * 1024 * 1024;
const stores = ["online-store", "online-store-2"];

let rig: StoreRig;
beforeAll(async () => {
  const environment = { JANITOR_EVERY_MS: "100", JANITOR_KEEP_MS: "0" };
  rig = await startStoreRig({ services: stores, environment });
  const { config } = await callApi<{ config: object }>(rig.admin, `STREAM.INFO.${stream}`);
  await callApi(rig.admin, `STREAM.UPDATE.${stream}`, { ...config, max_bytes: maxBytes });
});
afterAll(() => rig?.stop());
beforeEach(() => rig.printLogsOnFailure());

const code = (i: number) => `K${i % 50}`;
/** About 16 KiB. */
const chunk = (i: number) => {
  const row = {
    key: code(i),
    eventTime: Date.now(),
    features: { score: (i % 1_000) / 1_000, raw: new Uint8Array(16_384) },
  };
  return chunkOf("congestion", [row]);
};
const stored = (sequence: number) => readStoredMessage(rig.admin, stream, { seq: sequence });

/** Publishes three times what the stream holds; the greatest number of each key. */
async function fill(onHalf: () => Promise<void> = async () => undefined): Promise<Map<string, number>> {
  const last = new Map<string, number>();
  const count = Math.ceil((3 * maxBytes) / 16_384);
  for (let i = 0; i < count; i++) {
    if (i === Math.floor(count / 2)) await onHalf();
    await rig.publish(chunk(i));
    last.set(code(i), i);
  }
  return last;
}

async function expectAll(last: ReadonlyMap<string, number>): Promise<void> {
  const keys = [...last.keys()].map((one) => ({ code: one }));
  const reply = await rig.read({ featureService: "tower", keys, features: ["score"] });
  expect(keys.map((_, row) => rowOf(reply, row).score)).toEqual([...last.values()].map((i) => (i % 1_000) / 1_000));
}

describe("a row stream that would fill up", () => {
  it("is drained of what is applied, and writers go on; what is left is as full as it is to be (R3)", async () => {
    const last = await fill();
    await rig.settled();
    await expectAll(last);
    const state = await until(async () => {
      const now = await readStreamState(rig.admin, stream);
      return now.bytes <= maxBytes / 2 && now;
    });
    expect(state.firstSequence).toBeGreaterThan(1);
    expect(state.bytes).toBeGreaterThan(maxBytes / 5);
  });

  it("loses nothing that was delivered and not acknowledged, when a store is killed meanwhile (R3)", async () => {
    const last = await fill(() => rig.services.kill("online-store"));
    await rig.settled();
    await expectAll(last);
  });

  it("keeps a message that was set aside until it is replayed", async () => {
    const bad = chunkOf("congestion", [{ key: "BAD", eventTime: null, features: { score: 7 } }]);
    expect(bad.partition).toBe(partitionOf("BAD", partitions));
    const { sequence } = await rig.publish(bad);
    await rig.settled();
    await fill();
    await until(async () => (await stored(sequence + 1)) === undefined, { what: "its neighbour is gone" });
    expect((await stored(sequence))?.sequence).toBe(sequence);
  });
});

describe("a row stream whose stores stand still", () => {
  it("keeps everything, and takes what is new when they go on", async () => {
    await rig.settled();
    for (const name of stores) rig.services.pause(name);
    try {
      const { lastSequence } = await readStreamState(rig.admin, stream);
      const publishing = Promise.allSettled(Array.from({ length: 200 }, (_, i) => rig.publish(chunk(i))));
      await until(async () => (await readStreamState(rig.admin, stream)).bytes > maxBytes - 40_000, {
        what: "the stream is full",
      });
      expect(await stored(lastSequence + 1)).toBeDefined();
      for (const name of stores) rig.services.resume(name);
      expect((await publishing).filter(({ status }) => status === "rejected")).toEqual([]);
    } finally {
      for (const name of stores) rig.services.resume(name);
    }
  });
});
