import { partitionOf, partitionToken } from "@tributary/shared/contracts/entity-key";
import { subjects } from "@tributary/shared/contracts/subjects";
import { callApi } from "@tributary/shared/messaging/jetstream-api";
import { readStreamState } from "@tributary/shared/messaging/stream-state";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { until } from "../support/until.ts";
import { copyOfRedis } from "./redis-copy.ts";
import { redisWhole } from "./redis-whole.ts";
import { chunkOf, confirmationOf, partitions, type StoreRig, startStoreRig } from "./store-rig.ts";

const minute = 60_000;
const stores = ["online-store", "online-store-2"];
let rig: StoreRig;
beforeAll(async () => {
  // One message a batch: a replay that lasts long enough to be killed in the middle.
  const environments = { "online-store": { APPLY_BATCH_MAX: "1" }, "online-store-2": { APPLY_BATCH_MAX: "1" } };
  rig = await startStoreRig({ services: stores, environments });
});
afterAll(() => rig?.stop());
beforeEach(() => rig.printLogsOnFailure());

const airports = ["ORD", "LAX", "DEN", "SFO"];
const scale = 1_000_000;
const started = Date.now() - scale;
const stamp = { incarnation: 1, sequence: 1, minor: 0 };
const route = "ORD\u001fLAX";

/** A write of every airport; later rounds have later event times and greater scores. */
function publishRound(round: number): Promise<unknown> {
  const write = (key: string) =>
    rig.publish(chunkOf("congestion", [{ key, eventTime: started + round, features: { score: round / scale } }]));
  return Promise.all(airports.map(write));
}

async function readTower() {
  const keys = airports.map((code) => ({ code }));
  const reply = await rig.read({ featureService: "tower", keys, features: ["score"], detail: true });
  return {
    epoch: reply.epoch,
    scores: (reply.columns[0]?.values ?? []).map((score) => Math.round(Number(score) * scale)),
  };
}

async function readRoute() {
  const keys = [{ origin: "ORD", destination: "LAX" }];
  const reply = await rig.read({ featureService: "boarding", keys, features: ["flights28d"], detail: true });
  return { value: reply.columns[0]?.values[0], fresh: reply.columns[0]?.fresh?.[0] };
}

const holdsKey = (partition: number) => `{${partitionToken(partition)}}!holds`;

/** An answer, from whichever instance is the first to know what Redis holds; what it answers is not waited for. */
async function once<T>(read: () => Promise<T>): Promise<T> {
  return (await until(async () => ({ answer: await read() }))).answer;
}

/** Reads without end; tells every value that went back within one epoch. */
function watchTower() {
  const seen = { reads: 0, epochs: new Set<string>(), regressions: [] as string[] };
  let isOn = true;
  const watching = (async () => {
    let last = { epoch: "", scores: [] as number[] };
    while (isOn) {
      const now = await readTower().catch(() => undefined);
      if (now === undefined) continue;
      if (now.epoch === last.epoch) {
        for (const [i, score] of now.scores.entries())
          if (score < (last.scores[i] ?? 0)) seen.regressions.push(`${airports[i]}: ${last.scores[i]} then ${score}`);
      }
      last = now;
      seen.reads += 1;
      seen.epochs.add(now.epoch);
    }
  })();
  const stop = async () => {
    isOn = false;
    await watching;
    return seen;
  };
  return { seen, stop };
}

describe("a Redis that comes back without its last writes", () => {
  it("is a new epoch from the first read on, and gets again what had been acknowledged", async () => {
    const watch = watchTower();
    onTestFinished(async () => void (await watch.stop()));
    await publishRound(1);
    await rig.settled();
    const before = await readTower();
    const copy = copyOfRedis(rig);
    for (let round = 2; round <= 20; round++) await publishRound(round);
    const eventTime = Date.now() - 39 * minute;
    await rig.publish(chunkOf("route_profile", [{ key: route, eventTime, features: { flights28d: 7 }, stamp }]));
    await rig.publish(confirmationOf("route_profile", route, Date.now() - minute));
    const partition = partitionOf("ORD", partitions);
    await rig.publishBytes(subjects.rows("direct", partition, "congestion"), "direct", new Uint8Array([1]));
    await rig.settled();
    const holds = await rig.redis.hkeys(holdsKey(partition));
    const letters = (await readStreamState(rig.admin, "TRIB_DLQ")).lastSequence;
    expect([holds.length, letters]).toEqual([1, 1]);
    const until20 = watch.seen.reads + 5;
    await until(() => watch.seen.reads > until20, { what: "the last round has been read" });

    await rig.servers.redis.kill();
    copy.putBack();
    await rig.servers.redis.start();
    await until(async () => (await readTower()).epoch !== before.epoch, { what: "another epoch" });
    await redisWhole(rig);

    const after = await once(readTower);
    expect(after.scores).toEqual(airports.map(() => 20));
    expect(await once(readRoute)).toEqual({ value: 7, fresh: true });
    expect(await rig.redis.hkeys(holdsKey(partition))).toEqual(holds);
    expect((await readStreamState(rig.admin, "TRIB_DLQ")).lastSequence).toBe(letters);
    const seen = await watch.stop();
    expect(seen.regressions).toEqual([]);
    expect([...seen.epochs]).toEqual([before.epoch, after.epoch]);
  });
});

describe("a Redis that was emptied", () => {
  it("gets everything that the streams still hold, though the instance that reads it again is killed", async () => {
    const rows = 600;
    const keyOf = (i: number) => `K${i}`;
    const publishAll = Array.from({ length: rows }, (_, i) =>
      rig.publish(chunkOf("congestion", [{ key: keyOf(i), eventTime: started + i, features: { score: i / scale } }])),
    );
    await Promise.all(publishAll);
    await rig.settled();
    const { epoch } = await readTower();
    await rig.redis.flushall();
    const replaying = await until(() => whoReplays(), { what: "a replay" });
    const killed = rig.services.kill(replaying);
    await until(async () => (await readTower()).epoch !== epoch);
    await killed;
    await redisWhole(rig);
    const keys = Array.from({ length: rows }, (_, i) => ({ code: keyOf(i) }));
    const reply = await once(() => rig.read({ featureService: "tower", keys, features: ["score"] }));
    expect(reply.columns[0]?.values).toEqual(keys.map((_, i) => i / scale));
    expect((await once(readTower)).scores).toEqual(airports.map(() => 20));
    expect(await once(readRoute)).toEqual({ value: 7, fresh: true });
    expect((await rig.status()).lanes.flatMap((lane) => lane.gaps ?? [])).toEqual([]);
  });

  it("says what the streams hold no longer, and no confirmation counts for it", async () => {
    await callApi(rig.admin, "STREAM.PURGE.TRIB_ROWS_BATCH");
    const { epoch } = await once(readTower);
    await rig.redis.flushall();
    await until(async () => (await readTower()).epoch !== epoch);
    await redisWhole(rig);
    const eventTime = Date.now() - 39 * minute;
    await rig.publish(chunkOf("route_profile", [{ key: route, eventTime, features: { flights28d: 8 }, stamp }]));
    await rig.publish(confirmationOf("route_profile", route, Date.now()));
    await rig.settled();
    const { lanes } = await rig.status();
    const gaps = Object.fromEntries(lanes.map((lane) => [lane.lane, lane.gaps?.length ?? 0]));
    expect(gaps).toEqual({ batch: partitions, stream: 0, direct: 0 });
    expect(await once(readRoute)).toEqual({ value: 8, fresh: false });
    expect((await once(readTower)).scores).toEqual(airports.map(() => 20));
  });
});

describe("a Redis that is restarted while the broker is away", () => {
  it("is read over HTTP in its new epoch, and gets back what it lost once the broker answers", async () => {
    const overHttp = async () => {
      const body = JSON.stringify({ featureService: "tower", keys: [{ code: "ORD" }], features: ["score"] });
      const headers = { "content-type": "application/json" };
      const url = `${rig.services.httpUrl("online-store")}/v1/features/read`;
      const response = await fetch(url, { method: "POST", headers, body });
      if (!response.ok) throw new Error(`${response.status}`);
      const { epoch, columns } = (await response.json()) as { epoch: string; columns: { values: number[] }[] };
      return { epoch, score: Math.round((columns[0]?.values[0] ?? 0) * scale) };
    };
    await redisWhole(rig);
    const copy = copyOfRedis(rig);
    await publishRound(21);
    await rig.settled();
    const before = await until(overHttp);
    await rig.servers.nats.kill();
    await rig.servers.redis.kill();
    copy.putBack();
    await rig.servers.redis.start();
    const meanwhile = await until(overHttp);
    expect(meanwhile).toEqual({ epoch: expect.not.stringContaining(before.epoch), score: 20 });
    await rig.servers.nats.start();
    await redisWhole(rig);
    expect(await until(overHttp)).toEqual({ epoch: meanwhile.epoch, score: 21 });
  });
});

/** The instance whose replay has begun and is not done. */
async function whoReplays(): Promise<string | undefined> {
  const status = await rig.status();
  const replay = status.lanes.find((lane) => lane.lane === "direct")?.replay;
  const isOn = replay !== undefined && replay.position < replay.until;
  return isOn ? stores[Number(status.instance.split("-").at(-1)) - 1] : undefined;
}
