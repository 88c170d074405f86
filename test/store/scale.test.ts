import { connectTributary } from "@tributary/client/connect";
import type { Tributary } from "@tributary/client/tributary";
import { type Services, startServices } from "@tributary/local/supervisor";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { seededRandom } from "../../bench/seeded-random.ts";
import { testSeed } from "../support/seed.ts";
import { until } from "../support/until.ts";
import { chunkOf, type StoreRig, startStoreRig } from "./store-rig.ts";

let rig: StoreRig;
let client: Tributary;
const started: Services[] = [];
beforeAll(async () => {
  rig = await startStoreRig();
  client = await connectTributary({ natsUrl: rig.servers.nats.url("client") });
});
afterAll(async () => {
  await client?.close();
  await Promise.all(started.map((services) => services.stop()));
  await rig?.stop();
});
beforeEach(() => rig.printLogsOnFailure());

/** One more instance, which can be stopped by itself. */
async function add(name: string): Promise<Services> {
  const services = await startServices({ servers: rig.servers, names: [name] });
  started.push(services);
  await until(async () => (await fetch(`${services.httpUrl(name)}/readyz`)).ok, { what: `${name} is ready` });
  return services;
}

/** Reads that the instance has answered. */
async function readsOf(services: Services, name: string): Promise<number> {
  const text = await (await fetch(`${services.httpUrl(name)}/metrics`)).text();
  return Number(/^tributary_store_reads_total (\d+)/m.exec(text)?.[1] ?? 0);
}

const codes = Array.from({ length: 60 }, (_, i) => `C${i}`);
const scale = 1_000_000;
const beginning = Date.now() - scale;
const readersMax = 8;

/** Readers and a writer that go on until they are stopped, and what came of it. */
function load() {
  const random = seededRandom(testSeed);
  const some = () => codes[Math.floor(random() * codes.length)] ?? "";
  const seen = { reads: 0, errors: [] as string[], regressions: [] as string[], epochs: new Set<string>() };
  /** What the broker has acknowledged, by key. */
  const acknowledged = new Map<string, number>();
  let isOn = true;
  const write = async () => {
    for (let round = 1; isOn; round++) {
      const keys = [...new Set(Array.from({ length: 10 }, some))];
      const publish = (key: string) =>
        rig.publish(chunkOf("congestion", [{ key, eventTime: beginning + round, features: { score: round / scale } }]));
      await Promise.all(keys.map(publish));
      for (const key of keys) acknowledged.set(key, round);
    }
  };
  const read = async () => {
    // Of this reader: what it was told at once may come in any order to two.
    const last = new Map<string, number>();
    while (isOn) {
      const keys = Array.from({ length: 5 }, some);
      try {
        // Half of it is before the second try: what a dead instance had in hand is late, and not lost.
        const reply = await client.readReply(
          "tower",
          keys.map((code) => ({ code })),
          { timeoutMs: 8_000 },
        );
        seen.epochs.add(reply.epoch);
        for (const [i, code] of keys.entries()) {
          const round = roundOf(reply.columns.find(({ name }) => name === "score")?.values[i]);
          if (round < (last.get(code) ?? 0)) seen.regressions.push(`${code}: ${last.get(code)} then ${round}`);
          last.set(code, round);
        }
        seen.reads += 1;
      } catch (error) {
        seen.errors.push(String(error));
      }
    }
  };
  const working = Promise.all([write(), ...Array.from({ length: readersMax }, read)]);
  const stop = async () => {
    isOn = false;
    await working;
  };
  onTestFinished(stop);
  /** So many reads more, all of them begun after this was asked for. */
  const further = async (reads: number) => {
    const enough = seen.reads + readersMax + reads;
    await until(() => seen.reads >= enough, { what: `${reads} reads more`, timeoutMs: 60_000 });
  };
  return { seen, acknowledged, further, stop, random };
}

function roundOf(score: unknown): number {
  return Math.round(Number(score ?? 0) * scale);
}

describe("stores under a steady load of reads and writes", () => {
  it("are added, stopped with SIGTERM and killed with SIGKILL without a read failing or an acknowledged write lost", {
    timeout: 180_000,
  }, async () => {
    const { seen, acknowledged, further, stop, random } = load();
    await further(100);

    const second = await add("online-store-2");
    await until(async () => (await readsOf(second, "online-store-2")) >= 50, { what: "the new one is read from" });
    expect(seen.errors, "added").toEqual([]);

    await second.stop();
    await further(100);
    expect(seen.errors, "stopped with SIGTERM").toEqual([]);

    const third = await add("online-store-3");
    for (let kill = 1; kill <= 2; kill++) {
      const before = await readsOf(third, "online-store-3");
      const enough = before + 20 + Math.floor(random() * 100);
      await until(async () => (await readsOf(third, "online-store-3")) >= enough, { what: "it is read from" });
      await third.kill("online-store-3");
      await further(100);
    }
    await stop();
    expect(seen.errors, "killed").toEqual([]);
    expect(seen.regressions).toEqual([]);
    expect(seen.epochs.size).toBe(1);

    await rig.settled();
    const keys = [...acknowledged.keys()].map((code) => ({ code }));
    const reply = await client.readReply("tower", keys);
    const rounds = (reply.columns.find(({ name }) => name === "score")?.values ?? []).map(roundOf);
    expect(rounds).toEqual([...acknowledged.values()]);
  });
});
