import { consumerTable } from "@tributary/shared/contracts/topology";
import { openConnection } from "@tributary/shared/messaging/connection";
import { startConsumeLoop } from "@tributary/shared/messaging/consume-loop";
import { readConsumerState } from "@tributary/shared/messaging/consumer-state";
import { ack, retry } from "@tributary/shared/messaging/contract";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { until } from "../support/until.ts";
import { chunkOf, type StoreRig, startStoreRig } from "./store-rig.ts";

const stalled = "online-store-2";
let rig: StoreRig;
beforeAll(async () => {
  rig = await startStoreRig({ services: ["online-store", stalled], environment: { APPLY_BATCH_MAX: "4" } });
});
afterAll(() => rig?.stop());
beforeEach(() => rig.printLogsOnFailure());

const airports = ["ORD", "LAX", "DEN", "SFO"];
const keys = airports.map((code) => ({ code }));
const scale = 1_000_000;
const started = Date.now() - scale;
let round = 0;

/** Later rounds have later event times and greater scores. */
async function publishRounds(count: number): Promise<void> {
  const rounds = Array.from({ length: count }, () => ++round);
  const write = (key: string, at: number) =>
    rig.publish(chunkOf("congestion", [{ key, eventTime: started + at, features: { score: at / scale } }]));
  await Promise.all(rounds.flatMap((at) => airports.map((key) => write(key, at))));
}

/** Asked over HTTP of the instance that is not stalled. */
async function scores(): Promise<readonly number[]> {
  const response = await fetch(`${rig.services.httpUrl("online-store")}/v1/features/read`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ featureService: "tower", keys, features: ["score"] }),
  });
  const { columns } = (await response.json()) as { columns: { values: number[] }[] };
  return (columns[0]?.values ?? []).map((score) => Math.round(score * scale));
}

/** Stops an instance that has messages in hand. */
async function stall(): Promise<void> {
  const publishing = publishRounds(100);
  await until(async () => (await directState()).ackPending > 0);
  rig.services.pause(stalled);
  onTestFinished(() => rig.services.resume(stalled));
  await publishing;
}

const directState = () => readConsumerState(rig.admin, "TRIB_ROWS_DIRECT", "online-store");

/** What the stalled one had in hand has run out there and was applied by the other. */
async function takenOver(): Promise<void> {
  const ackWaitMs = Math.max(...consumerTable.map((consumer) => consumer.ackWaitMs));
  const isDone = async () => {
    const { ackPending, pending } = await directState();
    return ackPending === 0 && pending === 0;
  };
  await until(isDone, { what: "the other has applied everything", timeoutMs: 4 * ackWaitMs });
}

const all = (at: number) => airports.map(() => at);

describe("a store that stalls", () => {
  it("for longer than the broker waits for its acknowledgements, changes nothing when it wakes: neither a value nor what is set aside", async () => {
    await stall();
    await takenOver();
    await publishRounds(1);
    await takenOver();
    expect(await scores()).toEqual(all(round));
    rig.services.resume(stalled);
    await rig.settled();
    await until(async () => (await fetch(`${rig.services.httpUrl(stalled)}/readyz`)).ok);
    expect(await scores()).toEqual(all(round));
    const { lanes } = await rig.status();
    expect(lanes.map((lane) => lane.counters.rejected)).toEqual([0, 0, 0]);
  });

  it("acknowledges what it wrote into a Redis that has lost it since, and it is there all the same", async () => {
    const hands = await takeInHand();
    const codes = Array.from({ length: 40 }, (_, i) => `S${i}`);
    const write = (key: string, i: number) =>
      rig.publish(chunkOf("congestion", [{ key, eventTime: started + i, features: { score: i / scale } }]));
    await Promise.all(codes.map(write));
    await until(() => hands.count > 0, { what: "a message is in hand" });
    const { run } = await lifeOfPartition();
    await rig.servers.redis.kill();
    await rig.servers.redis.start();
    await until(async () => (await lifeOfPartition()).isWholeSince(run), { what: "redis is whole again" });
    hands.acknowledge();
    await rig.settled();
    const reply = await until(() =>
      rig.read({ featureService: "tower", keys: codes.map((code) => ({ code })), features: ["score"] }),
    );
    expect(reply.columns[0]?.values).toEqual(codes.map((_, i) => i / scale));
    await hands.stop();
  });
});

/**
 * One more consumer of the lane: the first that it is handed counts as written, though Redis has it no more, and is
 * acknowledged late. Whatever comes after is not its own to acknowledge.
 */
async function takeInHand() {
  const connection = await openConnection({ url: rig.servers.nats.url("online-store"), name: "in-hand" });
  let count = 0;
  let acknowledge = () => {};
  const late = new Promise<void>((resolve) => {
    acknowledge = resolve;
  });
  const loop = await startConsumeLoop(connection, {
    stream: "TRIB_ROWS_DIRECT",
    durable: "online-store",
    lane: "direct",
    process: "online-store",
    batchMax: 8,
    handle: async (batch) => {
      if (count > 0) return batch.map(() => retry(10, "for the stores", { counted: false }));
      count = batch.length;
      await late;
      return batch.map(() => ack);
    },
  });
  const stop = async () => {
    await loop.stop();
    await connection.close();
  };
  onTestFinished(stop);
  return {
    get count() {
      return count;
    },
    acknowledge,
    stop,
  };
}

async function lifeOfPartition() {
  const [life, whole] = await rig.redis.hmget("{p00}!floor", "life", "whole");
  const run = life?.split(":")[0];
  return { run, isWholeSince: (before: string | undefined) => run !== before && life !== null && whole === life };
}
