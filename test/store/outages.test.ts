import { startStore } from "@tributary/online-store/service";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { callApi } from "@tributary/shared/messaging/jetstream-api";
import { createLogger } from "@tributary/shared/runtime/logger";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { until } from "../support/until.ts";
import { chunkOf, confirmationOf, type StoreRig, startStoreRig, storeReady } from "./store-rig.ts";

const minute = 60_000;
const stores = ["online-store", "online-store-2"];
let rig: StoreRig;
beforeAll(async () => {
  // Not shorter: a store whose start takes Redis longer than that ends.
  rig = await startStoreRig({ services: stores, environment: { READ_TIMEOUT_MS: "1000" } });
});
afterAll(() => rig?.stop());
beforeEach(() => rig.printLogsOnFailure());

const airports = ["ORD", "LAX", "DEN", "SFO"];
const keys = airports.map((code) => ({ code }));
const scale = 1_000_000;
const started = Date.now() - scale;

/** One write of every airport; later ones have later event times and greater scores. */
function publishRound(round: number): Promise<unknown> {
  const write = (key: string) =>
    rig.publish(chunkOf("congestion", [{ key, eventTime: started + round, features: { score: round / scale } }]));
  return Promise.all(airports.map(write));
}

async function readScores(): Promise<readonly unknown[]> {
  const reply = await rig.read({ featureService: "tower", keys, features: ["score"], detail: true });
  return reply.columns[0]?.values ?? [];
}

/** Reads until told to stop; what it saw go back, and the codes of reads that failed. */
function watchScores() {
  const seen = { reads: 0, regressions: [] as string[], failures: new Set<string>() };
  let isOn = true;
  let last: readonly unknown[] = [];
  const watching = (async () => {
    while (isOn) {
      try {
        const scores = await readScores();
        for (const [i, score] of scores.entries()) {
          if (Number(score ?? 0) < Number(last[i] ?? 0))
            seen.regressions.push(`${airports[i]}: ${last[i]} then ${score}`);
        }
        last = scores;
        seen.reads += 1;
      } catch (error) {
        seen.failures.add(error instanceof TributaryError ? error.code : String(error));
      }
    }
  })();
  const stop = async () => {
    isOn = false;
    await watching;
    return seen;
  };
  return { seen, stop };
}

describe("two stores of which each in turn is killed with SIGKILL under load", () => {
  it("have lost nothing that the broker had acknowledged, and no reader saw a value go back", async () => {
    const watch = watchScores();
    onTestFinished(async () => void (await watch.stop()));
    let round = 0;
    for (const store of stores) {
      const killed = rig.services.kill(store);
      let isBack = false;
      void killed.then(() => {
        isBack = true;
      });
      for (let i = 0; !isBack && i < 1_000; i++) await publishRound(++round);
      await killed;
      await storeReady(rig, store);
      const before = watch.seen.reads;
      while (watch.seen.reads < before + 10) await publishRound(++round);
    }
    await rig.settled();
    const seen = await watch.stop();
    expect(await readScores()).toEqual(airports.map(() => round / scale));
    expect(seen.regressions).toEqual([]);
    expect([...seen.failures].filter((code) => !["UNAVAILABLE", "DEADLINE"].includes(code))).toEqual([]);
    expect(stores.map((store) => rig.services.restarts(store))).toEqual([1, 1]);
  });
});

describe("while Redis is away", () => {
  it("reads answer UNAVAILABLE, writes wait, and nothing is lost or set aside when it is back", async () => {
    const pids = stores.map((store) => rig.services.pid(store));
    await rig.servers.redis.kill();
    await expect(readScores()).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await publishRound(scale - 1);
    expect((await fetch(`${rig.services.httpUrl("online-store")}/readyz`)).status).toBe(503);
    await rig.servers.redis.start();
    await rig.settled();
    expect(await readScores()).toEqual(airports.map(() => (scale - 1) / scale));
    const { lanes } = await rig.status();
    expect(lanes.map((lane) => lane.counters.rejected)).toEqual([0, 0, 0]);
    expect(stores.map((store) => rig.services.pid(store))).toEqual(pids);
  });

  it("a frozen one is told apart from a slow answer: reads end within their time", async () => {
    rig.servers.redis.pause();
    await expect(readScores()).rejects.toMatchObject({ code: "UNAVAILABLE" });
    rig.servers.redis.resume();
    await until(async () => (await readScores()).length === airports.length);
  });
});

describe("a Redis that was emptied", () => {
  it("is a new epoch, and no confirmation counts for what it lacks", async () => {
    const stamp = { incarnation: 1, sequence: 1, minor: 0 };
    const read = () =>
      rig.read({
        featureService: "boarding",
        keys: [{ origin: "ORD", destination: "LAX" }],
        features: ["flights28d"],
        detail: true,
      });
    const eventTime = Date.now() - 39 * minute;
    const write = () =>
      rig.publish(chunkOf("route_profile", [{ key: "ORD\u001fLAX", eventTime, features: { flights28d: 1 }, stamp }]));
    await write();
    await rig.publish(confirmationOf("route_profile", "ORD\u001fLAX", Date.now() - minute));
    await rig.settled();
    const before = await until(async () => {
      const reply = await read();
      return reply.columns[0]?.fresh?.[0] === true && reply;
    });
    await callApi(rig.admin, "STREAM.PURGE.TRIB_ROWS_BATCH");
    await rig.redis.flushall();
    await until(async () => (await read()).epoch !== before.epoch);
    await write();
    await rig.publish(confirmationOf("route_profile", "ORD\u001fLAX", Date.now()));
    await rig.settled();
    // Rounds of the progress tracker show in the floor, which was written again after the confirmation.
    const [value, fresh] = await until(async () => {
      const column = (await read()).columns[0];
      return column?.values[0] === 1 && [column.values[0], column.fresh?.[0]];
    });
    expect([value, fresh]).toEqual([1, false]);
  });
});

describe("a store at its start", () => {
  const start = (more: { redisUrl?: string; natsUrl?: string } = {}) =>
    startStore(
      {
        natsUrl: rig.servers.nats.url("online-store"),
        redisUrl: rig.servers.redis.url,
        instance: "refused",
        logLevel: "silent",
        httpHost: "127.0.0.1",
        httpPort: 0,
        role: "all",
        readConcurrencyMax: 1,
        readTimeoutMs: 100,
        readCacheBytes: 0,
        readCacheLagMsMax: 1_000,
        batchMessages: 1,
        progressMs: 100,
        sweepEveryMs: 60_000,
        sweepRecordsPerSecond: 1_000,
        sweepTombstoneAgeMs: 0,
        janitorEveryMs: 60_000,
        janitorKeepMs: 0,
        ...more,
      },
      { logger: createLogger({ name: "refused", level: "silent" }), instance: "refused" },
    );

  it("refuses a Redis that would evict records", async () => {
    await rig.redis.config("SET", "maxmemory-policy", "allkeys-lru");
    await expect(start()).rejects.toMatchObject({
      code: "BAD_CONFIG",
      message: expect.stringContaining("allkeys-lru"),
    });
    await rig.redis.config("SET", "maxmemory-policy", "noeviction");
  });

  it("refuses a Redis that refuses its password", async () => {
    const redisUrl = rig.servers.redis.url.replace(/:[^:@]+@/, ":wrong@");
    await expect(start({ redisUrl })).rejects.toMatchObject({ code: "BAD_CONFIG" });
  });
});
