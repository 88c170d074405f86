import { readFreshness } from "@tributary/cli/read-freshness";
import { countOfDurations } from "@tributary/shared/contracts/duration-histogram";
import type { ViewFreshness } from "@tributary/shared/contracts/freshness";
import { requestMany } from "@tributary/shared/messaging/request-many";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chunkOf, confirmationOf, type StoreRig, startStoreRig, storeReady } from "./store-rig.ts";

const stores = ["online-store", "online-store-2"];

describe("how fresh views are", () => {
  let rig: StoreRig;
  beforeAll(async () => {
    rig = await startStoreRig({ services: stores });
    await Promise.all(stores.map((name) => storeReady(rig, name)));
  });
  afterAll(() => rig.stop());

  const of = (all: readonly ViewFreshness[], view: string) => all.find((one) => one.view === view);
  const merged = () => readFreshness(rig.admin);

  it("is told of every chunk by the store that applied it, and not of confirmations", async () => {
    const startMs = Date.now();
    for (const score of [0.1, 0.2, 0.3])
      await rig.publish(chunkOf("congestion", [{ key: "ORD", eventTime: startMs, features: { score } }]));
    await rig.publish(confirmationOf("congestion", "ORD", startMs));
    await rig.settled();
    const one = of(await merged(), "congestion");
    expect(one).toMatchObject({ lane: "direct", freshnessMs: 60_000, met: 0, missed: 0, absent: 0 });
    expect(countOfDurations(one?.latencies ?? { counts: [], sumMs: 0 })).toBe(3);
    expect(one?.latencies.sumMs).toBeLessThanOrEqual(3 * (Date.now() - startMs));
  });

  it("is sampled from reads: what is fresh, what is not, and what is not there", async () => {
    const now = Date.now();
    const stale = now - 600_000;
    await rig.publish(chunkOf("congestion", [{ key: "LAX", eventTime: now, features: { score: 0.5 } }]));
    await rig.publish(chunkOf("congestion", [{ key: "SFO", eventTime: stale, features: { score: 0.5 } }]));
    await rig.settled();
    for (const [code, times] of [
      ["LAX", 3],
      ["SFO", 2],
      ["XXX", 4],
    ] as const) {
      for (let i = 0; i < times; i++) await rig.read({ featureService: "tower", keys: [{ code }] });
    }
    const one = of(await merged(), "congestion");
    expect(one).toMatchObject({ met: 3, missed: 2, absent: 4 });
    expect(one?.ages.sumMs).toBeGreaterThanOrEqual(2 * 600_000);
  });

  it("stands in each store's metrics and status, and in the stats of its read endpoint alone", async () => {
    const texts = await Promise.all(
      stores.map(async (name) => (await fetch(`${rig.services.httpUrl(name)}/metrics`)).text()),
    );
    const metOf = (text: string) =>
      Number(/^tributary_store_freshness_met_total\{view="congestion",lane="direct"\} (\d+)$/m.exec(text)?.[1] ?? 0);
    expect(texts.map(metOf).reduce((sum, met) => sum + met)).toBe(3);
    expect((await rig.status()).freshness).toContainEqual(expect.objectContaining({ view: "congestion" }));
    const answers = await requestMany(rig.admin, "$SRV.STATS.online-store", { waitMs: 2_000, quietMs: 200 });
    const stats = answers?.map((answer) => JSON.parse(new TextDecoder().decode(answer))) ?? [];
    expect(stats).toHaveLength(stores.length);
    for (const { endpoints } of stats) {
      const names = endpoints.filter(({ data }: { data: object }) => "freshness" in data).map(nameOf);
      expect(names).toEqual(["read-features"]);
      for (const { data } of endpoints) expect(data).toMatchObject({ catalogVersion: 1 });
    }
  });
});

const nameOf = ({ name }: { readonly name: string }) => name;
