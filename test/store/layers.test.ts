import { connectTributary, type Tributary } from "@tributary/client/connect";
import { decodePayload } from "@tributary/shared/codec/json-or-msgpack";
import type { ClockRecord } from "@tributary/shared/contracts/clock";
import type { ReadReply } from "@tributary/shared/contracts/read";
import type { WriteReply, WriteToken } from "@tributary/shared/contracts/write";
import { openBucket } from "@tributary/shared/messaging/bucket";
import { setClock } from "@tributary/shared/runtime/clock-client";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { until } from "../support/until.ts";
import { dispatch, opsDesk } from "./definitions.ts";
import { chunkOf, type StoreRig, startStoreRig } from "./store-rig.ts";

let rig: StoreRig;
let client: Tributary;
beforeAll(async () => {
  rig = await startStoreRig({ services: ["online-store", "direct-gateway"] });
  client = await connectTributary({ natsUrl: rig.servers.nats.url("client") });
});
afterAll(async () => {
  await client?.close();
  await rig?.stop();
});
beforeEach(() => rig.printLogsOnFailure());

const minute = 60_000;
const upper = { lane: "direct", view: "ops_desk" };
const lower = { lane: "batch", view: "route_profile" };

describe("a person's correction over a batch value", () => {
  const key = { origin: "ORD", destination: "LAX" };
  const read = async (after: readonly WriteToken[] = []) =>
    (await client.read(dispatch, [key], { detail: true, after }))[0]?.typicalDelay;

  it("stands while the batch value changes underneath, until it is withdrawn (L1)", async () => {
    await publishBatch(key, 10, Date.now() - 2 * minute);
    expect(await read()).toMatchObject({ value: 10, status: "PRESENT", ...lower });

    const corrected = await client.write(opsDesk, [{ key, features: { delayP90: 99, note: "snow" } }]);
    expect(await read(tokensOf(corrected))).toMatchObject({ value: 99, status: "PRESENT", fresh: true, ...upper });

    await publishBatch(key, 11, Date.now());
    expect(await read()).toMatchObject({ value: 99, ...upper });

    const withdrawn = await client.write(opsDesk, [{ key, withdraw: ["delayP90"] }]);
    expect(await read(tokensOf(withdrawn))).toMatchObject({ value: 11, status: "PRESENT", ...lower });
  });

  it("may be NULL, which is a value: the default is that of the view underneath", async () => {
    const written = await client.write(opsDesk, [{ key, features: { delayP90: null } }]);
    expect(await read(tokensOf(written))).toMatchObject({ value: -1, status: "NULL_VALUE", ...upper });
  });

  it("is told row by row, the same over NATS and HTTP", async () => {
    const keys = ["JFK", "SFO", "SEA"].map((origin) => ({ origin, destination: "LAX" }));
    const [first = key, second = key] = keys;
    await publishBatch(first, 1, Date.now() - minute);
    await publishBatch(second, 2, Date.now() - minute);
    const written = await client.write(opsDesk, [{ key: second, features: { delayP90: 22 } }]);
    const body = { featureService: "dispatch", keys, detail: true, after: tokensOf(written) };
    const [nats, http] = await Promise.all([rig.read(body), readHttp(body)]);
    for (const reply of [nats, http]) {
      expect(reply.columns.find(({ name }) => name === "typicalDelay")).toMatchObject({
        values: [1, 22, -1],
        statuses: ["PRESENT", "PRESENT", "NOT_FOUND"],
        lanes: ["batch", "direct", "batch"],
        views: ["route_profile", "ops_desk", "route_profile"],
        ...lower,
      });
      expect(reply.columns.find(({ name }) => name === "flights28d")).not.toHaveProperty("lanes");
    }
  });

  it("gives way when its ttl is over on the clock", async () => {
    const start = Date.now();
    const paused = { simulatedMs: start, realMs: start, rate: 0 };
    await moveClock(paused);
    await publishBatch(key, 12, start);
    const written = await client.write(opsDesk, [{ key, features: { delayP90: 77 }, eventTime: new Date(start) }]);
    expect(await read(tokensOf(written))).toMatchObject({ value: 77, ageMs: 0, ...upper });
    await moveClock({ ...paused, simulatedMs: start + 60 * minute });
    expect(await read()).toMatchObject({ value: 77, ageMs: 60 * minute, fresh: false, ...upper });
    await moveClock({ ...paused, simulatedMs: start + 60 * minute + 1 });
    expect(await read()).toMatchObject({ value: 12, ageMs: 60 * minute + 1, ...lower });
  });
});

let run = 1;

/** A batch run's row, applied. */
async function publishBatch(key: { origin: string; destination: string }, delayP90: number, eventTime: number) {
  const stamp = { incarnation: 1, sequence: run++, minor: 0 };
  const row = { key: `${key.origin}\u001f${key.destination}`, eventTime, features: { delayP90 }, stamp };
  await rig.publish(chunkOf("route_profile", [row]));
  await rig.settled();
}

/** To a paused clock. */
async function moveClock(record: ClockRecord): Promise<void> {
  await setClock(await openBucket(rig.admin, "TRIB_CLOCK"), record);
  const isSeen = async () => (await rig.status()).nowMs === record.simulatedMs;
  await until(isSeen, { what: "the store has seen the clock" });
}

async function readHttp(body: unknown): Promise<ReadReply> {
  const response = await fetch(`${rig.services.httpUrl("online-store")}/v1/features/read`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return decodePayload(new Uint8Array(await response.arrayBuffer())).value as ReadReply;
}

function tokensOf(reply: WriteReply): WriteToken[] {
  return reply.outcomes.map((outcome) => {
    if (outcome.kind !== "accepted") throw new Error(outcome.message);
    return outcome.token;
  });
}
