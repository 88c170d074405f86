import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { startRedisCluster, type TestCluster, type TestNode } from "../support/redis-cluster.ts";
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
import { type StoreRig, startStoreRig } from "./store-rig.ts";

const directory = temporaryDirectory("failover");
let cluster: TestCluster;
let rig: StoreRig;
beforeAll(async () => {
  cluster = await startRedisCluster({ directory: directory.path, replicas: 1 });
  const services = ["online-store", "online-store-2"];
  rig = await startStoreRig({ services, redisUrl: cluster.url, environment: { READ_TIMEOUT_MS: "500" } });
});
afterAll(async () => {
  await rig?.stop();
  await cluster?.stop();
  directory.remove();
});
beforeEach(() => rig.printLogsOnFailure());

/** From here on the replica gets nothing more of what its master is told. */
async function leaveBehind(replica: TestNode, master: TestNode): Promise<void> {
  await replica.redis.config("SET", "masterauth", "another");
  await master.redis.call("CLIENT", "KILL", "TYPE", "replica");
  const isDown = async () => /master_link_status:down/.test(await replica.redis.info("replication"));
  await until(isDown, { what: "the replica is cut off" });
}

describe("a replica that is behind and takes a frozen master's place", () => {
  it("is a new epoch and gets all that was acknowledged, also what the frozen one wakes up with", async () => {
    const [master, replica] = [cluster.masters[0], cluster.replicas[0]];
    if (master === undefined || replica === undefined) throw new Error("no master with a replica");
    await publishRound(rig, 1);
    await clusterWhole(rig, cluster);
    const before = await once(() => readTowers(rig));
    const lives = await livesIn(cluster);
    const watch = watchTowers(rig);
    onTestFinished(async () => void (await watch.stop()));
    await leaveBehind(replica, master);
    for (let round = 2; round <= 20; round++) await publishRound(rig, round);
    await rig.settled();
    await until(async () => (await readTowers(rig)).rounds.every((round) => round === 20));

    master.pause();
    onTestFinished(() => master.resume());
    await publishRound(rig, 21);
    await replica.redis.cluster("FAILOVER", "TAKEOVER");
    await until(async () => (await readTowers(rig)).epoch !== before.epoch, { what: "another epoch" });
    await publishRound(rig, 22);
    master.resume();
    await publishRound(rig, 23);
    await until(async () => /role:slave/.test(await master.redis.info("replication")), { what: "it gives way" });
    await clusterWhole(rig, cluster);

    const after = await once(() => readTowers(rig));
    expect(after.rounds).toEqual(towers.map(() => 23));
    const livesAfter = await livesIn(cluster);
    const changed = towers.map((_, partition) => partition).filter((at) => livesAfter[at] !== lives[at]);
    expect(changed).toEqual(partitionsOf(0));
    const seen = await watch.stop();
    expect(seen.regressions).toEqual([]);
    expect([...seen.epochs]).toEqual([before.epoch, after.epoch]);
  });

  it("gives the place back, and nothing goes back with it", async () => {
    const [master, replica] = [cluster.masters[0], cluster.replicas[0]];
    const before = await once(() => readTowers(rig));
    const watch = watchTowers(rig);
    onTestFinished(async () => void (await watch.stop()));
    const isFollowing = async () => /master_link_status:up/.test((await master?.redis.info("replication")) ?? "");
    await until(isFollowing, { what: "the first master follows its replica" });
    await publishRound(rig, 24);
    await master?.redis.cluster("FAILOVER");
    await until(async () => (await readTowers(rig)).epoch !== before.epoch, { what: "another epoch" });
    await publishRound(rig, 25);
    await clusterWhole(rig, cluster);
    expect((await once(() => readTowers(rig))).rounds).toEqual(towers.map(() => 25));
    expect((await watch.stop()).regressions).toEqual([]);
    expect(/role:slave/.test((await replica?.redis.info("replication")) ?? "")).toBe(true);
  });
});
