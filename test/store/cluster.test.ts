import { RedisCluster } from "@tributary/online-store/adapters/redis-cluster";
import { redisRecords } from "@tributary/online-store/adapters/redis-records";
import { openRedisServers } from "@tributary/online-store/adapters/redis-servers";
import { redisSweep } from "@tributary/online-store/adapters/redis-sweep";
import { hashSlot } from "@tributary/online-store/core/hash-slot";
import { recordKey } from "@tributary/online-store/core/store-keys";
import type { StoreStatus } from "@tributary/shared/contracts/status";
import { createLogger } from "@tributary/shared/runtime/logger";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { startRedisCluster, type TestCluster } from "../support/redis-cluster.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { until } from "../support/until.ts";
import {
  clusterWhole,
  livesIn,
  once,
  partitionsOf,
  publishRound,
  readTowers,
  towers,
  watchTowers,
} from "./cluster-towers.ts";
import { chunkOf, confirmationOf, rowOf, type StoreRig, startStoreRig } from "./store-rig.ts";

const minute = 60_000;
const directory = temporaryDirectory("cluster");
const logger = createLogger({ name: "cluster", level: "silent" });
let cluster: TestCluster;
let rig: StoreRig;
beforeAll(async () => {
  cluster = await startRedisCluster({ directory: directory.path });
  const services = ["online-store", "online-store-2"];
  rig = await startStoreRig({ services, redisUrl: cluster.url, environment: { READ_TIMEOUT_MS: "500" } });
});
afterAll(async () => {
  await rig?.stop();
  await cluster?.stop();
  directory.remove();
});
beforeEach(() => rig.printLogsOnFailure());

const stamp = { incarnation: 1, sequence: 1, minor: 0 };

describe("stores on a cluster of three masters", () => {
  it("read in the order of the keys what the three lanes have written to all partitions", async () => {
    // Before the rounds of the other tests.
    const eventTime = Date.now() - 40 * minute;
    const row = (view: string, key: string, features: Record<string, number>) =>
      rig.publish(chunkOf(view, [{ key, eventTime, features, ...(view !== "congestion" && { stamp }) }]));
    const writes = towers.flatMap((code, i) => [
      row("airport_now", code, { departures_15m: i, delayMean_15m: i / 2 }),
      row("route_profile", `${code}\u001fLAX`, { flights28d: 100 + i }),
      row("congestion", code, { score: i / 100 }),
    ]);
    await Promise.all(writes);
    const routes = towers.map((code) => `${code}\u001fLAX`);
    await Promise.all(routes.map((key) => rig.publish(confirmationOf("route_profile", key, Date.now() - 1_000))));
    await clusterWhole(rig, cluster);
    const backwards = [...towers].reverse();
    const keys = backwards.map((origin) => ({ origin, destination: "LAX" }));
    const reply = await once(() => rig.read({ featureService: "boarding", keys }));
    for (const [i, origin] of backwards.entries()) {
      const at = towers.indexOf(origin);
      const values = { departures_15m: at, delayMean_15m: at / 2, flights28d: 100 + at, origin_score: at / 100 };
      expect(rowOf(reply, i)).toMatchObject(values);
    }
    const records = await Promise.all(cluster.masters.map(async ({ redis }) => (await redis.keys("{p*}:*")).length));
    expect(records.every((count) => count > 0)).toBe(true);
  });

  it("tell of each master what doctor asks for, and the worst of all", async () => {
    const [first] = cluster.masters;
    await first?.redis.config("SET", "maxmemory", "1gb");
    const { redis } = (await rig.status()) as StoreStatus;
    expect(redis).toMatchObject({ maxmemoryPolicy: "noeviction", maxmemoryBytes: 2 ** 30, appendOnly: true });
    expect(redis?.servers?.map(({ address, facts }) => [address, facts?.appendOnly])).toEqual(
      cluster.masters.map(({ address }) => [address, true]).sort(),
    );
    await first?.redis.config("SET", "maxmemory", "0");
  });
});

describe("a master that is killed and comes back without its last writes", () => {
  it("is a new epoch and a new life of its own partitions alone, and gets again what had been acknowledged", async () => {
    const [lost, rest] = [partitionsOf(1), [...partitionsOf(0), ...partitionsOf(2)]];
    await publishRound(rig, 1);
    await clusterWhole(rig, cluster);
    const before = await once(() => readTowers(rig));
    const watch = watchTowers(rig);
    onTestFinished(async () => void (await watch.stop()));
    const lives = await livesIn(cluster);
    const master = cluster.masters[1];
    if (master === undefined) throw new Error("no second master");
    await master.redis.config("SET", "appendfsync", "always");
    const copy = master.copy();
    for (let round = 2; round <= 20; round++) await publishRound(rig, round);
    await rig.settled();
    await until(async () => (await readTowers(rig)).rounds.every((round) => round === 20));

    await master.kill();
    const others = rest.map((partition) => towers[partition] ?? "");
    const meanwhile = await readTowers(rig, others);
    expect(meanwhile).toEqual({ epoch: before.epoch, rounds: others.map(() => 20) });
    await expect(readTowers(rig, [towers[lost[0] ?? 0] ?? ""])).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect((await fetch(`${rig.services.httpUrl("online-store")}/readyz`)).status).toBe(200);
    copy.putBack();
    await master.start();
    await until(async () => (await readTowers(rig)).epoch !== before.epoch, { what: "another epoch" });
    await clusterWhole(rig, cluster);

    const after = await once(() => readTowers(rig));
    expect(after.rounds).toEqual(towers.map(() => 20));
    const livesAfter = await livesIn(cluster);
    const changed = towers.map((_, partition) => partition).filter((at) => livesAfter[at] !== lives[at]);
    expect(changed).toEqual(lost);
    const seen = await watch.stop();
    expect(seen.regressions).toEqual([]);
    expect([...seen.epochs]).toEqual([before.epoch, after.epoch]);
  });
});

describe("a slot that is migrated to another master", () => {
  it("is told as away while its keys are on both sides, never as empty, and goes on in a new epoch", async () => {
    const [from, to] = [cluster.masters[0], cluster.masters[2]];
    const partition = partitionsOf(0)[0] ?? 0;
    const code = towers[partition] ?? "";
    if (from === undefined || to === undefined) throw new Error("no masters");
    await publishRound(rig, 30);
    await clusterWhole(rig, cluster);
    const before = await once(() => readTowers(rig));
    const watch = watchTowers(rig);
    onTestFinished(async () => void (await watch.stop()));
    const slot = hashSlot(recordKey(partition, "airport", code));
    const [fromId, toId] = await Promise.all([from, to].map(async ({ redis }) => String(await redis.cluster("MYID"))));
    await to.redis.cluster("SETSLOT", slot, "IMPORTING", fromId ?? "");
    await from.redis.cluster("SETSLOT", slot, "MIGRATING", toId ?? "");
    const move = async (keys: readonly string[]) => {
      const { port, password } = to.redis.options;
      const auth = ["AUTH", password ?? "", "KEYS", ...keys];
      await from.redis.call("MIGRATE", "127.0.0.1", port ?? 0, "", 0, 5_000, ...auth);
    };
    const keys = (await from.redis.call("CLUSTER", "GETKEYSINSLOT", slot, 1_000)) as string[];
    const own = keys.filter((key) => key.startsWith(recordKey(partition, "airport", code)));
    await move(own);
    await expect(readTowers(rig, [code])).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await move(keys.filter((key) => !own.includes(key)));
    for (const { redis } of [to, from, ...cluster.masters]) await redis.cluster("SETSLOT", slot, "NODE", toId ?? "");
    await until(async () => (await readTowers(rig)).epoch !== before.epoch, { what: "another epoch" });
    await publishRound(rig, 31);
    await clusterWhole(rig, cluster);
    expect((await once(() => readTowers(rig))).rounds).toEqual(towers.map(() => 31));
    expect((await watch.stop()).regressions).toEqual([]);
  });
});

describe("a cluster of which all masters were away", () => {
  it("is read again by itself in a new epoch, with all that was acknowledged", async () => {
    const before = await once(() => readTowers(rig));
    await Promise.all(cluster.masters.map((master) => master.kill()));
    await expect(readTowers(rig)).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect((await fetch(`${rig.services.httpUrl("online-store")}/readyz`)).status).toBe(503);
    await publishRound(rig, 32);
    await Promise.all(cluster.masters.map((master) => master.start()));
    await until(async () => (await readTowers(rig)).epoch !== before.epoch, { what: "another epoch" });
    await clusterWhole(rig, cluster);
    expect((await once(() => readTowers(rig))).rounds).toEqual(towers.map(() => 32));
    const { lanes } = await rig.status();
    expect(lanes.map((lane) => lane.counters.rejected)).toEqual([0, 0, 0]);
  });
});

describe("the connections to a cluster", () => {
  async function open(url = cluster.url): Promise<RedisCluster> {
    const redis = await openRedisServers({ url, name: "test", logger, commandTimeoutMs: 2_000, startMsMax: 4_000 });
    onTestFinished(() => redis.disconnect());
    if (!(redis instanceof RedisCluster)) throw new Error("it was taken for a single server");
    return redis;
  }

  it("go to all masters, though but one node is named: it says itself that it is of a cluster", async () => {
    const redis = await open(cluster.masters[2]?.url);
    expect(redis.nodes.map(({ address }) => address)).toEqual(cluster.masters.map(({ address }) => address).sort());
  });

  it("send each key where the servers have it", async () => {
    for (const [partition] of towers.entries()) {
      const key = recordKey(partition, "airport", "ORD");
      expect(hashSlot(key)).toBe(await cluster.client.cluster("KEYSLOT", key));
    }
  });

  it("count an answer only of the run that its partition was looked at on, though all else is as it was", async () => {
    const redis = await open();
    const key = recordKey(0, "airport", towers[0] ?? "");
    const { run } = redis.nodeOf(key);
    const read = (knownRun: () => string | undefined) => redisRecords(redis, knownRun).read([key]);
    expect(await read(() => run)).toEqual([expect.any(Buffer)]);
    await expect(read(() => "another")).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await expect(read(() => undefined)).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });

  it("refuse a master that would evict records", async () => {
    const server = cluster.masters[1]?.redis;
    await server?.config("SET", "maxmemory-policy", "allkeys-lru");
    onTestFinished(async () => void (await server?.config("SET", "maxmemory-policy", "noeviction")));
    await expect(open()).rejects.toMatchObject({ code: "BAD_CONFIG", message: expect.stringContaining("allkeys-lru") });
  });

  it("refuse a numbered database, and several hosts that are no cluster", async () => {
    await expect(open(`${cluster.masters[0]?.url}/2`)).rejects.toMatchObject({ code: "BAD_CONFIG" });
  });
});

describe("a walk over the records of a cluster", () => {
  /** Keys met from `cursor` to the end of the round. */
  async function walk(redis: RedisCluster, from = "0") {
    const sweep = redisSweep(redis);
    const met: string[] = [];
    let cursor = from;
    do {
      const page = await sweep.scan(cursor, 10);
      met.push(...page.keys);
      cursor = page.cursor;
      await sweep.savePosition(cursor);
      expect(await sweep.position()).toBe(cursor);
    } while (cursor !== "0");
    return met;
  }

  it("meets those of every master, one master after another, and goes on where a master has left", async () => {
    const redis = await openRedisServers({ url: cluster.url, name: "walk", logger, commandTimeoutMs: 2_000 });
    onTestFinished(() => redis.disconnect());
    if (!(redis instanceof RedisCluster)) throw new Error("it was taken for a single server");
    const keys = towers.map((code, partition) => recordKey(partition, "airport", code));
    const met = await walk(redis);
    expect(met).toEqual(expect.arrayContaining(keys));
    const [first, second] = redis.nodes;
    const gone = `${first?.address}0 17`;
    const behind = await walk(redis, gone);
    const ownerOf = (key: string) => redis.nodeOf(key).address;
    expect(new Set(behind.map(ownerOf))).toEqual(new Set(redis.nodes.slice(1).map(({ address }) => address)));
    expect(second).toBeDefined();
  });
});
