import { partitionToken } from "@tributary/shared/contracts/entity-key";
import { until } from "../support/until.ts";
import { partitions, type StoreRig } from "./store-rig.ts";

/** Waits until Redis has everything again that it had lost, and what was published since is applied. */
export async function redisWhole(rig: StoreRig): Promise<void> {
  const isWhole = async (partition: number) => {
    const [life, whole] = await rig.redis.hmget(`{${partitionToken(partition)}}!floor`, "life", "whole");
    return life !== null && life === whole;
  };
  const all = async () => (await Promise.all(Array.from({ length: partitions }, (_, p) => isWhole(p)))).every(Boolean);
  await until(all, { what: "redis is whole" });
  await rig.settled();
}
