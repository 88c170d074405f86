import { hashSlot } from "@tributary/online-store/core/hash-slot";
import { partitionOf, partitionToken } from "@tributary/shared/contracts/entity-key";
import type { TestCluster } from "../support/redis-cluster.ts";
import { until } from "../support/until.ts";
import { chunkOf, partitions, type StoreRig } from "./store-rig.ts";

/** One airport in each partition, in the partitions' order, and what a test of a cluster writes to them and sees of them. */
export const towers: readonly string[] = Array.from({ length: partitions }, (_, partition) => towerIn(partition));

function towerIn(partition: number): string {
  for (let i = 0; ; i++) if (partitionOf(`T${i}`, partitions) === partition) return `T${i}`;
}

const scale = 1_000_000;
const started = Date.now() - scale;

/** A write of every tower; later rounds have later event times and greater scores. */
export function publishRound(rig: StoreRig, round: number): Promise<unknown> {
  const write = (key: string) =>
    rig.publish(chunkOf("congestion", [{ key, eventTime: started + round, features: { score: round / scale } }]));
  return Promise.all(towers.map(write));
}

export async function readTowers(rig: StoreRig, of: readonly string[] = towers) {
  const keys = of.map((code) => ({ code }));
  const reply = await rig.read({ featureService: "tower", keys, features: ["score"] });
  return {
    epoch: reply.epoch,
    rounds: (reply.columns[0]?.values ?? []).map((score) => Math.round(Number(score) * scale)),
  };
}

/** An answer, from whichever instance is the first to have one. */
export async function once<T>(read: () => Promise<T>): Promise<T> {
  return (await until(async () => ({ answer: await read() }))).answer;
}

/** Reads all towers without end; tells every value that went back within one epoch, whoever answered. */
export function watchTowers(rig: StoreRig) {
  const seen = { reads: 0, epochs: new Set<string>(), regressions: [] as string[] };
  const greatest = new Map<string, number>();
  let isOn = true;
  const watching = (async () => {
    while (isOn) {
      const now = await readTowers(rig).catch(() => undefined);
      if (now === undefined) continue;
      for (const [i, round] of now.rounds.entries()) {
        const id = `${now.epoch} ${towers[i]}`;
        const before = greatest.get(id) ?? 0;
        if (round < before) seen.regressions.push(`${id}: ${before} then ${round}`);
        greatest.set(id, Math.max(before, round));
      }
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

const floorKey = (partition: number) => `{${partitionToken(partition)}}!floor`;

/** Each partition's life, as its master has it. */
export function livesIn(cluster: TestCluster): Promise<(string | null)[]> {
  return Promise.all(towers.map((_, partition) => cluster.client.hget(floorKey(partition), "life")));
}

/** Waits until the cluster has everything again that it had lost, and what was published since is applied. */
export async function clusterWhole(rig: StoreRig, cluster: TestCluster): Promise<void> {
  const isWhole = async (_: string, partition: number) => {
    const [life, whole] = await cluster.client.hmget(floorKey(partition), "life", "whole");
    return life !== null && life === whole;
  };
  const all = async () => (await Promise.all(towers.map(isWhole))).every(Boolean);
  await until(all, { what: "the cluster is whole" });
  await rig.settled();
}

/** The partitions whose slot lies with the n-th of three masters that share the slots out evenly. */
export function partitionsOf(master: number): number[] {
  const third = 16_384 / 3;
  const isOf = (partition: number) => Math.floor(hashSlot(floorKey(partition)) / third) === master;
  return towers.map((_, partition) => partition).filter(isOf);
}
