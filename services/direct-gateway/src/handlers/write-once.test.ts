import { decodeChunk } from "@tributary/shared/codec/chunk-codec";
import { encodePayload } from "@tributary/shared/codec/json-or-msgpack";
import type { Catalog } from "@tributary/shared/contracts/catalog";
import { ordinaryClock } from "@tributary/shared/contracts/clock";
import { TributaryError } from "@tributary/shared/contracts/errors";
import type { Bucket, BucketEntry, Publisher, PublishMessage } from "@tributary/shared/messaging/contract";
import { createLogger } from "@tributary/shared/runtime/logger";
import { beforeEach, describe, expect, it } from "vitest";
import { createMetrics } from "../metrics.ts";
import type { WriteContext } from "./write-context.ts";
import { writeRows } from "./write-rows.ts";

/** A broker in memory that dedupes by id, and a bucket whose entries carry the broker's time. */
function fakeBroker() {
  const messages: PublishMessage[] = [];
  const entries = new Map<string, BucketEntry>();
  let nowMs = Date.now();
  let revision = 0;
  const refusals: TributaryError[] = [];
  const put = (key: string, value: Uint8Array, timestampMs: number) => {
    revision += 1;
    entries.set(key, { key, value, revision, timestampMs });
    return revision;
  };
  const conflict = () => new TributaryError("CATALOG_CONFLICT", "conflict");
  const bucket: Bucket = {
    name: "TRIB_IDEMPOTENCY",
    get: async (key) => entries.get(key),
    create: async (key, value) => {
      if (entries.has(key)) throw conflict();
      return put(key, value, nowMs);
    },
    update: async (key, value, expected) => {
      if (entries.get(key)?.revision !== expected) throw conflict();
      return put(key, value, nowMs);
    },
    put: async (key, value) => put(key, value, nowMs),
    keys: async () => [...entries.keys()],
    watch: async () => ({ stop: async () => {} }),
  };
  const publisher: Publisher = {
    publish: async (message) => {
      const refusal = refusals.shift();
      if (refusal) throw refusal;
      const at = messages.findIndex((known) => known.id === message.id);
      if (at < 0) messages.push(message);
      return { stream: "TRIB_ROWS_DIRECT", sequence: at < 0 ? messages.length : at + 1, duplicate: at >= 0 };
    },
    incarnation: async () => 1_000,
    inFlight: 0,
    close: async () => {},
  };
  return {
    messages,
    entries,
    bucket,
    publisher,
    refuseNext: (error: TributaryError) => refusals.push(error),
    setTime: (ms: number) => {
      nowMs = ms;
    },
  };
}

const catalogWith = (version: number, max: number): Catalog => ({
  format: 1,
  version,
  fingerprint: String(version),
  partitions: 32,
  entities: { airport: { name: "airport", keys: [{ name: "code", type: "string" }] } },
  sources: {},
  featureServices: {},
  views: {
    congestion: {
      lane: "direct",
      name: "congestion",
      version: 1,
      entity: "airport",
      freshnessMs: 1,
      ttlMs: null,
      producers: [],
      features: [{ name: "score", type: "float64", max }],
    },
  },
});

let broker: ReturnType<typeof fakeBroker>;
let catalogs: Catalog[];
beforeEach(() => {
  broker = fakeBroker();
  catalogs = [catalogWith(1, 1)];
});

function gateway(change: Partial<WriteContext> = {}): WriteContext {
  return {
    instance: "direct-gateway-1",
    catalog: {
      get current() {
        return catalogs.at(-1);
      },
      version: async (version) => catalogs.find((one) => one.version === version),
      onChange: () => () => {},
      stop: async () => {},
    },
    clock: {
      now: () => Date.now(),
      record: ordinaryClock,
      revision: 1,
      onChange: () => () => {},
      stop: async () => {},
    },
    publisher: broker.publisher,
    idempotency: broker.bucket,
    metrics: createMetrics(),
    logger: createLogger({ name: "test", level: "silent" }),
    publishDeadlineMs: 2_000,
    ...change,
  };
}

const request = (score: number, idempotencyKey = "k1", more: object = {}) => {
  const rows = ["ORD", "LAX", "JFK"].map((code) => ({ key: { code }, features: { score }, ...more }));
  return encodePayload({ view: "congestion", rows, idempotencyKey }, "json");
};
const write = async (context: WriteContext, bytes: Uint8Array) => (await writeRows(context, bytes)).reply;

describe("a write under an idempotency key", () => {
  it("gives the first outcome to a retry, and stores nothing again", async () => {
    const first = await write(gateway(), request(0.5));
    const stored = broker.messages.length;
    expect(first.accepted).toBe(3);
    expect(await write(gateway(), request(0.5))).toEqual(first);
    expect(broker.messages).toHaveLength(stored);
  });

  it("gives the first outcome after a death between publish and answer", async () => {
    const dying = gateway({ idempotency: { ...broker.bucket, update: () => Promise.reject(new Error("killed")) } });
    const first = await write(dying, request(0.5));
    const stored = broker.messages.length;
    expect(await write(gateway({ instance: "direct-gateway-2" }), request(0.5))).toEqual(first);
    expect(broker.messages).toHaveLength(stored);
  });

  it("gives rows without a time the reservation's broker timestamp, in every attempt", async () => {
    broker.setTime(Date.now() - 30_000);
    const before = broker.messages.length;
    const dying = gateway({ publisher: { ...broker.publisher, publish: () => Promise.reject(unknown()) } });
    await expect(write(dying, request(0.5))).rejects.toMatchObject({ code: "UNKNOWN_OUTCOME" });
    const reservedAt = [...broker.entries.values()][0]?.timestampMs;
    broker.setTime(Date.now());
    await write(gateway(), request(0.5));
    const chunks = broker.messages.slice(before).map(({ data }) => decodeChunk(data));
    expect(chunks.flatMap((chunk) => (chunk.kind === "rows" ? chunk.eventTimes : []))).toEqual(
      Array.from({ length: 3 }, () => reservedAt),
    );
  });

  it("judges a retry by the catalog of the first attempt", async () => {
    const dying = gateway({ publisher: { ...broker.publisher, publish: () => Promise.reject(unknown()) } });
    await expect(write(dying, request(0.5))).rejects.toMatchObject({ code: "UNKNOWN_OUTCOME" });
    catalogs.push(catalogWith(2, 0.1));
    expect(await write(gateway(), request(0.5))).toMatchObject({ accepted: 3 });
  });

  it("is finished by a retry where some chunks were stored and some refused", async () => {
    broker.refuseNext(new TributaryError("STREAM_FULL", "full"));
    const partial = await write(gateway(), request(0.5));
    expect(partial).toMatchObject({ refused: 1, accepted: 2 });
    const whole = await write(gateway(), request(0.5));
    expect(whole.accepted).toBe(3);
    partial.outcomes.forEach((outcome, i) => {
      if (outcome.kind === "accepted") expect(whole.outcomes[i]).toEqual(outcome);
    });
  });

  it("refuses another request under the same key", async () => {
    await write(gateway(), request(0.5));
    await expect(write(gateway(), request(0.6))).rejects.toMatchObject({ code: "BAD_VALUE" });
  });

  it("is never published again once the broker may have forgotten its ids", async () => {
    broker.setTime(Date.now() - 180_000);
    const dying = gateway({ publisher: { ...broker.publisher, publish: () => Promise.reject(unknown()) } });
    await expect(write(dying, request(0.5))).rejects.toMatchObject({ code: "UNKNOWN_OUTCOME" });
    await expect(write(gateway(), request(0.5))).rejects.toMatchObject({ code: "UNKNOWN_OUTCOME" });
    expect(broker.messages).toHaveLength(0);
  });

  it("reserves nothing when no row may enter", async () => {
    expect(await write(gateway(), request(7))).toMatchObject({ refused: 3 });
    expect(broker.entries.size).toBe(0);
    catalogs.push(catalogWith(2, 10));
    expect(await write(gateway(), request(7))).toMatchObject({ accepted: 3 });
  });

  const unknown = () => new TributaryError("UNKNOWN_OUTCOME", "no answer");
});
