import type { WriteContext } from "@tributary/direct-gateway/handlers/write-context";
import { writeRows } from "@tributary/direct-gateway/handlers/write-rows";
import { createMetrics } from "@tributary/direct-gateway/metrics";
import { encodePayload } from "@tributary/shared/codec/json-or-msgpack";
import { clockAt, ordinaryClock } from "@tributary/shared/contracts/clock";
import { compareVersions, type Version } from "@tributary/shared/contracts/version";
import { openBucket } from "@tributary/shared/messaging/bucket";
import type { Bucket, Publisher } from "@tributary/shared/messaging/contract";
import { createPublisher } from "@tributary/shared/messaging/publisher";
import { createLogger } from "@tributary/shared/runtime/logger";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../support/until.ts";
import { body } from "./definitions.ts";
import { type GatewayMesh, gatewayReady, post, type StoredChunk, startGatewayMesh } from "./gateway-mesh.ts";

let mesh: GatewayMesh;
const publishers: Publisher[] = [];
const urlOf = (name: string) => `${mesh.services.httpUrl(name)}/v1/rows`;
const write = (url: string, code: string, score: number, idempotencyKey?: string) =>
  post(url, {
    view: "congestion",
    rows: [{ key: { code }, features: { score } }],
    ...(idempotencyKey && { idempotencyKey }),
  });
const storedOf = async (code: string) => (await mesh.stored()).filter(({ chunk }) => chunk.keys.includes(code));

beforeAll(async () => {
  mesh = await startGatewayMesh({
    services: ["direct-gateway", "direct-gateway-2", "direct-gateway-3"],
    environments: { "direct-gateway-3": { PUBLISH_DEADLINE_MS: "300", WRITE_CONCURRENCY_MAX: "1" } },
  });
});
afterAll(async () => {
  await Promise.all(publishers.map((publisher) => publisher.close()));
  await mesh?.stop();
});

describe("an idempotency key", () => {
  it("stores a write once when many attempts run at the same time", async () => {
    const gateways = await Promise.all([0, 1].map(() => gatewayInside()));
    const attempts = Array.from({ length: 10 }, (_, i) =>
      writeRows(gateways[i % 2] as WriteContext, request("TWICE", 0.5, "twice")),
    );
    const outcomes = (await Promise.all(attempts)).map(({ reply }) => reply.outcomes[0]);
    for (const outcome of outcomes) expect(outcome).toEqual(outcomes[0]);
    expect(await storedOf("TWICE")).toHaveLength(1);
    expect(await write(urlOf("direct-gateway"), "TWICE", 0.5, "twice")).toMatchObject({
      status: 200,
      body: { outcomes: [outcomes[0]] },
    });
    expect(await write(urlOf("direct-gateway"), "TWICE", 0.6, "twice")).toMatchObject({
      status: 422,
      body: { error: { code: "BAD_VALUE" } },
    });
  });

  it("gives the first outcome when a gateway died between publish and answer", async () => {
    const alive = await gatewayInside();
    // Its last step never happens.
    const idempotency: Bucket = Object.assign(delegateTo(alive.idempotency), {
      update: () => new Promise<never>(() => {}),
    });
    const dying = { ...alive, idempotency };
    void writeRows(dying, request("DIED", 0.5, "died"));
    const [stored] = await until(async () => {
      const chunks = await storedOf("DIED");
      return chunks.length > 0 && chunks;
    });
    const retried = await write(urlOf("direct-gateway"), "DIED", 0.5, "died");
    expect(retried.body.outcomes?.[0]?.token?.sequence).toBe(stored?.message.sequence);
    expect(await storedOf("DIED")).toHaveLength(1);
  });

  it("gives one outcome and one stored message when gateways are killed in mid-write", async () => {
    const url = urlOf("direct-gateway");
    for (let round = 0; round < 3; round++) {
      const keys = Array.from({ length: 20 }, (_, i) => `kill-${round}-${i}`);
      const first = Promise.allSettled(keys.map((key) => write(url, key, 0.5, key)));
      // The first of the round is stored: some others are published, some reserved, some neither.
      await until(async () => (await storedOf(`kill-${round}-0`)).length > 0);
      await mesh.services.kill("direct-gateway");
      await gatewayReady(mesh, "direct-gateway");
      const before = await first;
      const retried = await Promise.all(keys.map((key) => write(urlOf("direct-gateway-2"), key, 0.5, key)));
      const stored = await mesh.stored();
      for (const [i, key] of keys.entries()) {
        const sequence = retried[i]?.body.outcomes?.[0]?.token?.sequence;
        const messages = stored.filter(({ chunk }) => chunk.keys.includes(key));
        expect(messages.map(({ message }) => message.sequence)).toEqual([sequence]);
        const answered = before[i];
        if (answered?.status === "fulfilled") {
          expect(answered.value.body.outcomes?.[0]?.token?.sequence).toBe(sequence);
        }
      }
    }
  });
});

describe("a broker that does not answer", () => {
  it("makes a write unknown within the deadline, and it is never sent again later (D1)", async () => {
    const url = urlOf("direct-gateway-3");
    mesh.servers.nats.pause();
    const both = [write(url, "LATE", 0.1), write(url, "LATE", 0.1)];
    const answers = await Promise.all(both).finally(() => mesh.servers.nats.resume());
    expect(answers.sort((a, b) => a.status - b.status)).toMatchObject([
      { status: 429, body: { error: { code: "OVERLOADED" } } },
      { status: 504, body: { error: { code: "UNKNOWN_OUTCOME" } } },
    ]);
    const later = await until(async () => {
      const { status, body } = await write(url, "LATE", 0.2);
      return status === 200 && body.outcomes?.[0]?.token?.sequence;
    });
    const messages = await storedOf("LATE");
    // What was on its way when the broker woke up may be there, once, and before what was written since.
    expect(messages.length).toBeLessThanOrEqual(2);
    expect(messages.at(-1)?.message.sequence).toBe(later);
  });

  it("is told by readiness", async () => {
    mesh.servers.nats.pause();
    const readyz = `${mesh.services.httpUrl("direct-gateway-3")}/readyz`;
    await until(async () => (await fetch(readyz)).status === 503).finally(() => mesh.servers.nats.resume());
    await gatewayReady(mesh, "direct-gateway-3");
  });
});

describe("the order of direct writes", () => {
  it("is the broker's, whatever the gateways' clocks say (V4)", async () => {
    await writeRows(await gatewayInside(50), request("SKEW", 0.1));
    await writeRows(await gatewayInside(-50), request("SKEW", 0.2));
    const [a, b] = await storedOf("SKEW");
    expect([a?.chunk.columns[0]?.cells[0], b?.chunk.columns[0]?.cells[0]]).toEqual([0.1, 0.2]);
    expect(compareVersions(versionOf(b), versionOf(a))).toBeGreaterThan(0);
  });
});

function request(code: string, score: number, idempotencyKey?: string): Uint8Array {
  const rows = [{ key: { code }, features: { score } }];
  return encodePayload({ view: "congestion", rows, ...(idempotencyKey && { idempotencyKey }) }, "json");
}

/** A gateway inside the test, on the real broker, whose clock goes wrong by `aheadMs`. */
async function gatewayInside(aheadMs = 0): Promise<WriteContext> {
  const current = { ...body, version: 1, fingerprint: "" };
  const end = { onChange: () => () => {}, stop: async () => {} };
  const publisher = createPublisher(mesh.admin, { stream: "TRIB_ROWS_DIRECT" });
  publishers.push(publisher);
  return {
    instance: "inside",
    catalog: { current, version: async () => current, ...end },
    clock: { now: () => Date.now() + aheadMs, record: ordinaryClock, revision: 1, ...end },
    publisher,
    idempotency: await openBucket(mesh.admin, "TRIB_IDEMPOTENCY"),
    metrics: createMetrics(),
    logger: createLogger({ name: "test", level: "silent" }),
    publishDeadlineMs: 2_000,
  };
}

function delegateTo(bucket: Bucket): Bucket {
  return {
    name: bucket.name,
    get: (key) => bucket.get(key),
    create: (key, value) => bucket.create(key, value),
    update: (key, value, revision) => bucket.update(key, value, revision),
    put: (key, value) => bucket.put(key, value),
    keys: () => bucket.keys(),
    watch: (key, onEntry, options) => bucket.watch(key, onEntry, options),
  };
}

/** As a store reads it. */
function versionOf(stored: StoredChunk | undefined): Version {
  const { message, chunk } = stored ?? {};
  if (!message || !chunk?.clock) throw new Error("nothing was stored, or the chunk names no clock");
  const eventTime = chunk.eventTimes[0] ?? clockAt(chunk.clock, message.timestampMs);
  return { eventTime, incarnation: 1, sequence: message.sequence, minor: 0 };
}
