import { decodePayload, encodePayload } from "@tributary/shared/codec/json-or-msgpack";
import { tombstone } from "@tributary/shared/contracts/chunk";
import type { ReadReply } from "@tributary/shared/contracts/read";
import { subjects } from "@tributary/shared/contracts/subjects";
import { request } from "@tributary/shared/messaging/request";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { until } from "../support/until.ts";
import { chunkOf, confirmationOf, rowOf, type StoreRig, startStoreRig } from "./store-rig.ts";

const minute = 60_000;
let rig: StoreRig;
beforeAll(async () => {
  rig = await startStoreRig();
});
afterAll(() => rig?.stop());
beforeEach(() => rig.printLogsOnFailure());

const ordLax = { featureService: "boarding", keys: [{ origin: "ORD", destination: "LAX" }] };
const stamp = { incarnation: 1, sequence: 1, minor: 0 };

/** The detail of one column's first row. */
function detailOf(reply: ReadReply, name: string) {
  const column = reply.columns.find((candidate) => candidate.name === name);
  return {
    value: column?.values[0],
    status: column?.statuses?.[0],
    eventTime: column?.eventTimes?.[0],
    ageMs: column?.agesMs?.[0],
    fresh: column?.fresh?.[0],
    lane: column?.lane,
  };
}

describe("rows of the three lanes", () => {
  it("are read in one vector, each value with its lane, event time, age and status", async () => {
    const now = Date.now();
    const [recent, old] = [now - 1_000, now - 40 * minute];
    await Promise.all([
      rig.publish(chunkOf("congestion", [{ key: "ORD", eventTime: recent, features: { score: 0.5, reason: null } }])),
      rig.publish(chunkOf("congestion", [{ key: "LAX", eventTime: now - 61 * minute, features: { score: 0.25 } }])),
      rig.publish(
        chunkOf("route_profile", [{ key: "ORD\u001fLAX", eventTime: old, features: { flights28d: 12 }, stamp }]),
      ),
      rig.publish(
        chunkOf("airport_now", [{ key: "ORD", eventTime: recent, features: { departures_15m: 3 }, stamp }], {
          schedules: [{ untilMs: now + 60 * minute, steps: [{ atMs: now - 1, changes: [[0, 2]] }] }],
        }),
      ),
    ]);
    await rig.settled();
    const reply = await rig.read({ ...ordLax, detail: true });
    expect(rowOf(reply)).toEqual({
      departures_15m: 2,
      delayMean_15m: null,
      flights28d: 12,
      delayP90: -1,
      origin_score: 0.5,
      origin_reason: null,
      destination_score: null,
      destination_reason: null,
    });
    const details = ["departures_15m", "flights28d", "delayP90", "origin_score", "origin_reason", "destination_score"];
    expect(
      details.map((name) => [detailOf(reply, name).lane, detailOf(reply, name).status, detailOf(reply, name).fresh]),
    ).toEqual([
      ["stream", "PRESENT", true],
      ["batch", "PRESENT", false],
      ["batch", "NOT_FOUND", false],
      ["direct", "PRESENT", true],
      ["direct", "NULL_VALUE", true],
      ["direct", "OUTSIDE_MAX_AGE", false],
    ]);
    expect(detailOf(reply, "flights28d")).toMatchObject({ eventTime: old, ageMs: reply.nowMs - old });
  });

  it("keep the cells that a later partial row does not carry, and lose those it withdraws", async () => {
    const at = Date.now() - 500;
    const write = (eventTime: number, features: Record<string, never>) =>
      rig.publish(chunkOf("congestion", [{ key: "SFO", eventTime, features }]));
    await write(at, { score: 0.1, reason: "fog" } as never);
    await write(at + 1, { score: 0.2 } as never);
    await write(at + 2, { reason: tombstone } as never);
    await write(at - 1, { score: 0.9, reason: "late" } as never);
    await rig.settled();
    const reply = await rig.read({ featureService: "tower", keys: [{ code: "SFO" }], detail: true });
    expect(rowOf(reply)).toMatchObject({ score: 0.2, reason: null });
    expect(detailOf(reply, "reason")).toMatchObject({ status: "NOT_FOUND", eventTime: null });
  });

  it("are confirmed without being written again, once all before the confirmation is applied", async () => {
    const [written, confirmed] = [Date.now() - 39 * minute, Date.now() - minute];
    const features = { flights28d: 7 };
    await rig.publish(chunkOf("route_profile", [{ key: "DEN\u001fLAX", eventTime: written, features, stamp }]));
    await rig.publish(confirmationOf("route_profile", "DEN\u001fLAX", confirmed));
    const read = () =>
      rig.read({ featureService: "boarding", keys: [{ origin: "DEN", destination: "LAX" }], detail: true });
    const reply = await until(async () => {
      const answer = await read();
      return detailOf(answer, "flights28d").fresh === true && answer;
    });
    expect(detailOf(reply, "flights28d")).toMatchObject({
      value: 7,
      eventTime: written,
      ageMs: reply.nowMs - confirmed,
    });
  });
});

describe("a read", () => {
  const http = (body: unknown, type: string) =>
    fetch(`${rig.services.httpUrl("online-store")}/v1/features/read`, {
      method: "POST",
      headers: { "content-type": type },
      body: (typeof body === "string"
        ? body
        : encodePayload(body, type.endsWith("json") ? "json" : "msgpack")) as NonNullable<RequestInit["body"]>,
    });

  it("has the same answer over NATS and HTTP, in JSON and msgpack", async () => {
    await rig.publish(
      chunkOf("congestion", [
        {
          key: "JFK",
          eventTime: Date.now() - 5_000,
          features: { score: 1, embedding: new Uint8Array(8), raw: new Uint8Array([1, 2]) },
        },
      ]),
    );
    await rig.settled();
    const body = { featureService: "tower", keys: [{ code: "JFK" }], detail: true };
    const answers = await Promise.all([
      request(rig.client, subjects.readFeatures, encodePayload(body, "msgpack")),
      request(rig.client, subjects.readFeatures, encodePayload(body, "json")),
      http(body, "application/msgpack").then(async (response) => new Uint8Array(await response.arrayBuffer())),
      http(body, "application/json").then(async (response) => new Uint8Array(await response.arrayBuffer())),
    ]);
    const decoded = answers.map((bytes) => decodePayload(bytes));
    expect(decoded.map((answer) => answer.encoding)).toEqual(["msgpack", "json", "msgpack", "json"]);
    const texts = decoded.map(({ value }) => {
      const { nowMs, columns, ...rest } = value as ReadReply;
      const aged = columns.map(({ agesMs, ...column }) => ({
        ...column,
        told: agesMs?.map((age) => age === null || age > 0),
      }));
      return new TextDecoder().decode(encodePayload({ ...rest, told: nowMs > 0, columns: aged }, "json"));
    });
    expect(new Set(texts).size).toBe(1);
  });

  it("gives rows in the order of the keys, repeated keys and the chosen features included", async () => {
    const keys = ["JFK", "SFO", "JFK", "none"].map((code) => ({ code }));
    const reply = await rig.read({ featureService: "tower", keys, features: ["score"] });
    expect(reply.columns).toEqual([{ name: "score", values: [1, 0.2, 1, null] }]);
  });

  it.each([
    [404, "UNKNOWN_SERVICE", "landing", { featureService: "landing", keys: [{ code: "A" }] }],
    [404, "UNKNOWN_FEATURE", "speed", { featureService: "tower", keys: [{ code: "A" }], features: ["speed"] }],
    [400, "MISSING_KEY", "destination", { featureService: "boarding", keys: [{ origin: "A" }] }],
    [400, "UNKNOWN_KEY", "gate", { featureService: "tower", keys: [{ code: "A", gate: "1" }] }],
    [400, "BAD_KEY", "code", { featureService: "tower", keys: [{ code: "" }] }],
    [400, "BAD_KEY", "code", { featureService: "tower", keys: [{ code: 5 }] }],
    [400, "MALFORMED", "keys", { featureService: "tower", keys: "ORD" }],
    [400, "MALFORMED", "key", { featureService: "tower", keys: [{ code: "A" }], key: 1 }],
    [
      413,
      "LIMIT_EXCEEDED",
      "keys",
      { featureService: "tower", keys: Array.from({ length: 2_001 }, () => ({ code: "A" })) },
    ],
    [400, "MALFORMED", "JSON", "{nonsense"],
  ])("that is wrong is answered %i %s naming %s", async (status, code, named, body) => {
    const response = await http(body, "application/json");
    const { error } = (await response.json()) as { error: { code: string; message: string; hint: string } };
    expect([response.status, error.code]).toEqual([status, code]);
    expect(error.message).toContain(named);
    expect(error.hint).not.toBe("");
    if (typeof body !== "string") await expect(rig.read(body as never)).rejects.toMatchObject({ code });
  });

  it("says that no content type but JSON and msgpack will do", async () => {
    expect((await http("{}", "text/plain")).status).toBe(415);
  });

  it("after a token waits until the write is readable", async () => {
    for (let round = 0; round < 20; round++) {
      const { sequence } = await rig.publish(
        chunkOf("congestion", [{ key: "AUS", eventTime: null, features: { score: round / 20 } }]),
      );
      const after = [await tokenOf({ sequence })];
      const reply = await rig.read({ featureService: "tower", keys: [{ code: "AUS" }], features: ["score"], after });
      expect(reply.columns[0]?.values).toEqual([round / 20]);
    }
  });

  it("after a token of a write that never comes ends with TOKEN_TIMEOUT", async () => {
    const after = [await tokenOf({ sequence: 1_000_000 })];
    const body = { featureService: "tower", keys: [{ code: "AUS" }], after, waitMs: 50 };
    await expect(rig.read(body)).rejects.toMatchObject({ code: "TOKEN_TIMEOUT" });
  });

  async function tokenOf({ sequence }: { readonly sequence: number }) {
    const { lanes } = await rig.status();
    const incarnation = lanes.find((lane) => lane.lane === "direct")?.incarnation ?? 0;
    return { view: "congestion", key: "AUS", features: ["score"], eventTime: null, incarnation, sequence, row: 0 };
  }
});

describe("the store", () => {
  it("answers its probes and shows counters", async () => {
    const url = rig.services.httpUrl("online-store");
    expect((await fetch(`${url}/livez`)).status).toBe(200);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect(await (await fetch(`${url}/metrics`)).text()).toMatch(/tributary_store_rows_total\{lane="direct"\} [1-9]/);
    expect(await rig.status()).toMatchObject({ instance: "online-store-1", catalogVersion: 1 });
  });
});
