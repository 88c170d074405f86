import { requestErasure } from "@tributary/cli/erase/erasure-requests";
import type { ReadReply } from "@tributary/shared/contracts/read";
import type { WriteToken } from "@tributary/shared/contracts/write";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { until } from "../support/until.ts";
import { chunkOf, rowOf, type StoreRig, startStoreRig } from "./store-rig.ts";

const stores = ["online-store", "online-store-2"];
let rig: StoreRig;
beforeAll(async () => {
  rig = await startStoreRig({ services: stores, environment: { READ_CACHE_BYTES: "10000000" } });
});
afterAll(() => rig?.stop());
beforeEach(() => rig.printLogsOnFailure());

const airports = ["ORD", "LAX", "DEN", "SFO"];
const keys = airports.map((code) => ({ code }));
const scale = 1_000_000;
const started = Date.now() - scale;

async function publish(key: string, round: number): Promise<WriteToken> {
  const eventTime = started + round;
  const { sequence } = await rig.publish(
    chunkOf("congestion", [{ key, eventTime, features: { score: round / scale } }]),
  );
  return { view: "congestion", key, features: ["score"], eventTime, incarnation, sequence, row: 0 };
}
let incarnation = 0;

const request = { featureService: "tower", keys, features: ["score"] };
const roundsOf = ({ columns }: ReadReply) =>
  (columns[0]?.values ?? []).map((score) => Math.round(Number(score) * scale));

/** Of one instance, over HTTP. */
async function readOf(store: string): Promise<ReadReply> {
  const response = await fetch(`${rig.services.httpUrl(store)}/v1/features/read`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(request),
  });
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()) as ReadReply;
}

/** Reads one instance without end; tells every value that went back. */
function watch(store: string) {
  const seen = { reads: 0, regressions: [] as string[] };
  let isOn = true;
  const watching = (async () => {
    let last: number[] = [];
    while (isOn) {
      const rounds = roundsOf(await readOf(store));
      for (const [i, round] of rounds.entries())
        if (round < (last[i] ?? 0)) seen.regressions.push(`${store}, ${airports[i]}: ${last[i]} then ${round}`);
      last = rounds;
      seen.reads += 1;
    }
  })();
  const stop = async () => {
    isOn = false;
    await watching;
  };
  onTestFinished(stop);
  return { seen, stop };
}

describe("stores with a read cache", () => {
  it("give every write to a read with its token, and of one instance no value that goes back", async () => {
    incarnation = (await rig.status()).lanes.find(({ lane }) => lane === "direct")?.incarnation ?? 0;
    for (const key of airports) await publish(key, 1);
    await rig.settled();
    const watches = stores.map(watch);
    for (let round = 2; round <= 150; round++) {
      const place = round % airports.length;
      const token = await publish(airports[place] as string, round);
      const reply = await rig.read({ ...request, after: [token] });
      expect(roundsOf(reply)[place]).toBe(round);
    }
    for (const { stop } of watches) await stop();
    for (const { seen } of watches) {
      expect(seen.regressions).toEqual([]);
      expect(seen.reads).toBeGreaterThan(20);
    }
  });

  it("come to the same, and tell how the cache does", async () => {
    const ended = [148, 149, 150, 147];
    for (const store of stores)
      await until(async () => {
        expect(roundsOf(await readOf(store))).toEqual(ended);
        return true;
      });
    for (const store of stores) {
      const metrics = await (await fetch(`${rig.services.httpUrl(store)}/metrics`)).text();
      const value = (name: string) =>
        Number(new RegExp(`^tributary_store_read_cache_${name} (\\d+)$`, "m").exec(metrics)?.[1]);
      for (const name of [
        "on",
        "bytes",
        "records",
        "hits_total",
        "misses_total",
        "bypasses_total",
        "invalidations_total",
      ])
        expect(value(name), name).toBeGreaterThan(0);
    }
    const { readCache } = await rig.status();
    expect(readCache).toMatchObject({ isOn: true, bytesMax: 10_000_000, records: airports.length });
  });

  it("have nothing of an erased key any more, nor of a Redis that was emptied", async () => {
    const reasonOf = async (store: string) => {
      const response = await fetch(`${rig.services.httpUrl(store)}/v1/features/read`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ featureService: "tower", keys: [{ code: "JFK" }], features: ["reason"] }),
      });
      return rowOf((await response.json()) as ReadReply).reason;
    };
    const write = (eventTime: number) =>
      rig.publish(chunkOf("congestion", [{ key: "JFK", eventTime, features: { reason: "a person's words" } }]));
    await write(Date.now() - 1_000);
    for (const store of stores) await until(async () => (await reasonOf(store)) === "a person's words");
    await requestErasure(rig.admin, { entity: "airport", key: "JFK", id: undefined });
    for (const store of stores) await until(async () => (await reasonOf(store)) === null);
    const before = await Promise.all(stores.map(readOf));
    await rig.redis.flushall();
    for (const [i, store] of stores.entries()) {
      await until(async () => {
        const now = await readOf(store);
        // The keys lie in partitions of their own: each is replayed at its own pace.
        expect(roundsOf(now)).toEqual(roundsOf(before[i] as ReadReply));
        return now.epoch !== before[i]?.epoch;
      });
    }
    expect(await Promise.all(stores.map(reasonOf))).toEqual([null, null]);
  });
});
