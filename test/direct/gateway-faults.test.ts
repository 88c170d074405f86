import type { WriteContext } from "@tributary/direct-gateway/handlers/write-context";
import { writeRows } from "@tributary/direct-gateway/handlers/write-rows";
import { createMetrics } from "@tributary/direct-gateway/metrics";
import { encodePayload } from "@tributary/shared/codec/json-or-msgpack";
import { clockAt, ordinaryClock } from "@tributary/shared/contracts/clock";
import { compareVersions, type Version } from "@tributary/shared/contracts/version";
import { createPublisher } from "@tributary/shared/messaging/publisher";
import { createLogger } from "@tributary/shared/runtime/logger";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../support/until.ts";
import { body } from "./definitions.ts";
import { type GatewayMesh, gatewayReady, post, type StoredChunk, startGatewayMesh } from "./gateway-mesh.ts";

let mesh: GatewayMesh;
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
afterAll(() => mesh?.stop());

describe("an idempotency key", () => {
  it("stores a write once when two gateways take it at the same time", async () => {
    const urls = [urlOf("direct-gateway"), urlOf("direct-gateway-2")];
    const attempts = Array.from({ length: 10 }, (_, i) => write(urls[i % 2] as string, "TWICE", 0.5, "twice"));
    const sequences = (await Promise.all(attempts)).map(({ body }) => body.outcomes?.[0]?.token?.sequence);
    expect(new Set(sequences).size).toBe(1);
    expect((await storedOf("TWICE")).map(({ message }) => message.sequence)).toEqual([sequences[0]]);
    expect(await write(urls[0] as string, "TWICE", 0.6, "twice")).toMatchObject({
      status: 422,
      body: { error: { code: "BAD_VALUE" } },
    });
  });

  it("gives one outcome and one stored message when gateways are killed in mid-write", async () => {
    const url = urlOf("direct-gateway");
    for (let round = 0; round < 4; round++) {
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
    const [unknown, refused] = await Promise.all([write(url, "LATE", 0.1), write(url, "GATED", 0.1)]).finally(() =>
      mesh.servers.nats.resume(),
    );
    expect(unknown).toMatchObject({ status: 504, body: { error: { code: "UNKNOWN_OUTCOME" } } });
    expect(refused).toMatchObject({ status: 429, body: { error: { code: "OVERLOADED" } } });
    const later = await until(async () => {
      const { status, body } = await write(url, "LATE", 0.2);
      return status === 200 && body.outcomes?.[0]?.token?.sequence;
    });
    const messages = await storedOf("LATE");
    // What was on its way when the broker woke up may be there, once, and before what was written since.
    expect(messages.length).toBeLessThanOrEqual(2);
    expect(messages.at(-1)?.message.sequence).toBe(later);
    expect(await storedOf("GATED")).toEqual([]);
  });

  it("is told by readiness", async () => {
    mesh.servers.nats.pause();
    const ready = fetch(`${mesh.services.httpUrl("direct-gateway-3")}/readyz`).then((response) => response.ok);
    const answer = await ready.finally(() => mesh.servers.nats.resume());
    expect(answer).toBe(false);
    await gatewayReady(mesh, "direct-gateway-3");
  });
});

describe("the order of direct writes", () => {
  it("is the broker's, whatever the gateways' clocks say (V4)", async () => {
    const ahead = gatewayWithClock(50);
    const behind = gatewayWithClock(-50);
    await writeRows(ahead, request("SKEW", 0.1));
    await writeRows(behind, request("SKEW", 0.2));
    await ahead.publisher.close();
    await behind.publisher.close();
    const [a, b] = await storedOf("SKEW");
    expect([a?.chunk.columns[0]?.cells[0], b?.chunk.columns[0]?.cells[0]]).toEqual([0.1, 0.2]);
    expect(compareVersions(versionOf(b), versionOf(a))).toBeGreaterThan(0);
  });
});

const request = (code: string, score: number) =>
  encodePayload({ view: "congestion", rows: [{ key: { code }, features: { score } }] }, "json");

/** A gateway inside the test, on the real broker, whose clock is wrong. */
function gatewayWithClock(aheadMs: number): WriteContext {
  const current = { ...body, version: 1, fingerprint: "" };
  const end = { onChange: () => () => {}, stop: async () => {} };
  const unused = () => Promise.reject(new Error("not used"));
  return {
    instance: `gateway${aheadMs}`,
    catalog: { current, version: async () => current, ...end },
    clock: { now: () => Date.now() + aheadMs, record: ordinaryClock, revision: 1, ...end },
    publisher: createPublisher(mesh.admin, { stream: "TRIB_ROWS_DIRECT" }),
    idempotency: {
      name: "TRIB_IDEMPOTENCY",
      get: unused,
      create: unused,
      update: unused,
      put: unused,
      keys: unused,
      watch: unused,
    },
    metrics: createMetrics(),
    logger: createLogger({ name: "test", level: "silent" }),
    publishDeadlineMs: 2_000,
  };
}

/** As a store reads it. */
function versionOf(stored: StoredChunk | undefined): Version {
  const { message, chunk } = stored ?? {};
  if (!message || !chunk?.clock) throw new Error("nothing was stored, or the chunk names no clock");
  const eventTime = chunk.eventTimes[0] ?? clockAt(chunk.clock, message.timestampMs);
  return { eventTime, incarnation: 1, sequence: message.sequence, minor: 0 };
}
