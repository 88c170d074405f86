import { connectTributary, type Tributary } from "@tributary/client/connect";
import { pack } from "@tributary/shared/codec/msgpack";
import { tombstone } from "@tributary/shared/contracts/chunk";
import { partitionOf } from "@tributary/shared/contracts/entity-key";
import { limits } from "@tributary/shared/contracts/limits";
import { subjects } from "@tributary/shared/contracts/subjects";
import { request } from "@tributary/shared/messaging/request";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { congestion } from "./definitions.ts";
import { type GatewayMesh, post, startGatewayMesh } from "./gateway-mesh.ts";

let mesh: GatewayMesh;
let client: Tributary;
let url: string;

beforeAll(async () => {
  mesh = await startGatewayMesh({ services: ["direct-gateway"] });
  client = await connectTributary({ natsUrl: mesh.servers.nats.url("client") });
  url = `${mesh.services.httpUrl("direct-gateway")}/v1/rows`;
});

afterAll(async () => {
  await client?.close();
  await mesh?.stop();
});

const row = (features: object, more: object = {}) => ({ key: { code: "ORD" }, features, ...more });

describe("a direct write", () => {
  it("is answered with the sequence and row at which the broker stored it", async () => {
    const codes = Array.from({ length: 200 }, (_, i) => `A${i}`);
    const rows = codes.map((code, i) => ({ key: { code }, features: { score: i / 200 } }));
    const reply = await client.write(congestion, rows);
    expect(reply).toMatchObject({ accepted: 200, refused: 0, unknown: 0 });
    const stored = new Map((await mesh.stored()).map((one) => [one.message.sequence, one]));
    reply.outcomes.forEach((outcome, i) => {
      if (outcome.kind !== "accepted") throw new Error(outcome.message);
      const { token } = outcome;
      const { chunk, message } = stored.get(token.sequence) ?? {};
      expect(chunk?.keys[token.row]).toBe(codes[i]);
      expect(chunk?.columns[0]?.cells[token.row]).toBe(i / 200);
      expect(chunk?.partition).toBe(partitionOf(codes[i] as string, 32));
      expect(message?.subject).toBe(subjects.rows("direct", chunk?.partition as number, "congestion"));
    });
  });

  it("carries dates, vectors, NULL and withdrawals, in JSON over HTTP as in msgpack over NATS", async () => {
    const scoredAt = new Date("2001-03-04T05:06:07Z");
    const features = { score: null, scoredAt, embedding: [1, 2, 3] };
    const reply = await client.write(congestion, [{ key: { code: "ORD" }, features, withdraw: ["reason"] }]);
    const first = reply.outcomes[0];
    if (first?.kind !== "accepted") throw new Error(first?.message);
    const json = { ...features, scoredAt: scoredAt.toISOString() };
    const second = await post(url, { view: "congestion", rows: [row(json, { withdraw: ["reason"] })] });
    const [a, b] = (await mesh.stored(first.token.sequence)).map(({ chunk }) => chunk.columns);
    expect(second.body.outcomes?.[0]?.token?.sequence).toBe(first.token.sequence + 1);
    expect(b).toEqual(a);
    expect(Object.fromEntries((a ?? []).map(({ feature, cells }) => [feature, cells[0]]))).toEqual({
      score: null,
      scoredAt: scoredAt.getTime(),
      embedding: Buffer.from(new Float32Array([1, 2, 3]).buffer),
      reason: tombstone,
    });
  });

  it("carries the whole of int64: decimal text in JSON, a bigint in TypeScript", async () => {
    const serial = 2n ** 61n + 1n;
    const reply = await client.write(congestion, [{ key: { code: "ORD" }, features: { serial } }]);
    const first = reply.outcomes[0];
    if (first?.kind !== "accepted") throw new Error(first?.message);
    await post(url, { view: "congestion", rows: [row({ serial: serial.toString() }), row({ serial: 5 })] });
    const columns = (await mesh.stored(first.token.sequence)).flatMap(({ chunk }) => chunk.columns);
    expect(columns.flatMap(({ cells }) => cells)).toEqual([serial, serial, 5]);
  });

  it("tells each row's own fate", async () => {
    const { status, body } = await post(url, { view: "congestion", rows: [row({ score: 0.1 }), row({ score: 7 })] });
    expect(status).toBe(207);
    expect(body.outcomes).toMatchObject([{ kind: "accepted" }, { kind: "refused", code: "BAD_VALUE" }]);
  });

  it("names the view in the URL as well", async () => {
    const at = (view: string) => url.replace("/v1/rows", `/v1/views/${view}/rows`);
    expect((await post(at("congestion"), { rows: [row({ score: 0.1 })] })).status).toBe(200);
    expect((await post(at("congestion"), { view: "profile", rows: [row({ score: 0.1 })] })).body.error?.code).toBe(
      "MALFORMED",
    );
    expect(await post(at("nope"), { rows: [row({ score: 0.1 })] })).toMatchObject({
      status: 404,
      body: { error: { code: "UNKNOWN_VIEW", message: expect.stringContaining("nope") } },
    });
  });
});

describe("bad input is refused, naming what and which", () => {
  const ahead = () => Date.now() + 120_000;
  it.each<[string, () => object, number, string, string]>([
    ["unknown feature", () => row({ colour: 1 }), 404, "UNKNOWN_FEATURE", "colour"],
    ["missing join key", () => ({ key: {}, features: { score: 0 } }), 400, "MISSING_KEY", "code"],
    ["extra join key", () => row({ score: 0 }, { key: { code: "ORD", x: 1 } }), 400, "UNKNOWN_KEY", "x"],
    ["wrong type", () => row({ score: "x" }), 422, "BAD_VALUE", "score"],
    ["null where there is none", () => row({ note: null }), 422, "BAD_VALUE", '"note" must not be null'],
    ["text that is too short", () => row({ note: "🛫" }), 422, "BAD_VALUE", '"note" must have at least 2 characters'],
    ["text that is too long", () => row({ note: "abcd" }), 422, "BAD_VALUE", '"note" must have at most 3 characters'],
    [
      "whole number out of range",
      () => row({ serial: `${2n ** 62n + 1n}` }),
      422,
      "BAD_VALUE",
      '"serial" must be at most',
    ],
    ["number that lost digits", () => row({ serial: 2 ** 60 }), 422, "BAD_VALUE", '"serial" must be int64'],
    ["event from the future", () => row({ score: 0 }, { eventTime: ahead() }), 422, "FUTURE_TIME", "ahead"],
    ["time without a zone", () => row({ score: 0 }, { eventTime: "2001-01-01T00:00:00" }), 422, "BAD_TIME", "zone"],
  ])("%s", async (_what, build, status, code, message) => {
    const rows = [build()];
    const http = await post(url, { view: "congestion", rows });
    expect(http.status).toBe(status);
    expect(http.body.outcomes).toMatchObject([{ kind: "refused", code, message: expect.stringContaining(message) }]);
    const nats = await client.write("congestion", rows as never);
    expect(nats.outcomes).toMatchObject([{ kind: "refused", code }]);
  });

  it("NaN in msgpack", async () => {
    const bytes = pack({ view: "congestion", rows: [row({ score: Number.NaN })] });
    const http = await fetch(url, {
      method: "POST",
      body: Buffer.from(bytes),
      headers: { "content-type": "application/msgpack" },
    });
    expect(http.status).toBe(422);
    expect((await client.write("congestion", [row({ score: Number.NaN })])).outcomes).toMatchObject([
      { kind: "refused", code: "BAD_VALUE", message: expect.stringContaining("score") },
    ]);
  });

  it("another lane's view", async () => {
    await expect(client.write("profile", [row({ flights: 1 })])).rejects.toMatchObject({ code: "WRONG_LANE" });
    expect((await post(url, { view: "profile", rows: [row({ flights: 1 })] })).status).toBe(409);
  });

  it("what is not JSON, not msgpack, or not a write", async () => {
    for (const text of ["{not json", "", '{"view":"congestion"}', '{"view":"congestion","rows":[],"colour":1}']) {
      expect(await post(url, text)).toMatchObject({ status: 400, body: { error: { code: "MALFORMED" } } });
      const viaNats = request(mesh.admin, subjects.writeRows, new TextEncoder().encode(text));
      await expect(viaNats).rejects.toMatchObject({ code: "MALFORMED" });
    }
    for (const bytes of [[0xdd, 0xff, 0xff, 0xff, 0xff], [0xc1], [0xd4, 0x72, 0x40]]) {
      const viaNats = request(mesh.admin, subjects.writeRows, Uint8Array.from(bytes));
      await expect(viaNats).rejects.toMatchObject({ code: "MALFORMED" });
    }
    expect((await post(url, "{}", "text/plain")).status).toBe(415);
  });

  it("more than a request may hold", async () => {
    const big = { view: "congestion", rows: [row({ reason: "x".repeat(limits.writeBytesMax) })] };
    expect(await post(url, big)).toMatchObject({ status: 413, body: { error: { code: "LIMIT_EXCEEDED" } } });
    const many = Array.from({ length: limits.writeRowsMax + 1 }, () => row({ score: 0 }));
    expect(await post(url, { view: "congestion", rows: many })).toMatchObject({ status: 413 });
    await expect(client.write("congestion", many)).rejects.toMatchObject({ code: "LIMIT_EXCEEDED" });
  });

  it("leaves the gateway working, and counts it", async () => {
    expect(await client.write("congestion", [row({ score: 0.5 })])).toMatchObject({ accepted: 1 });
    const metrics = await (await fetch(url.replace("/v1/rows", "/metrics"))).text();
    expect(metrics).toMatch(/request_errors_total\{code="MALFORMED"\} [1-9]/);
    expect(metrics).toMatch(/rows_total\{outcome="accepted"\} [1-9]/);
  });
});

describe("a full stream", () => {
  it("is a refusal with Retry-After, and writes go on once there is room", async () => {
    const name = "TRIB_ROWS_DIRECT";
    const info = JSON.parse(new TextDecoder().decode(await api(`STREAM.INFO.${name}`))) as { config: object };
    const update = (change: object) => api(`STREAM.UPDATE.${name}`, { ...info.config, ...change });
    await update({ max_bytes: 1 });
    const full = await post(url, { view: "congestion", rows: [row({ score: 0.5 })] });
    expect(full).toMatchObject({ status: 429, body: { error: { code: "STREAM_FULL" } } });
    expect(full.headers.get("retry-after")).toBe("1");
    await expect(client.write("congestion", [row({ score: 0.5 })])).rejects.toMatchObject({ code: "STREAM_FULL" });
    await update({});
    expect(await client.write("congestion", [row({ score: 0.5 })])).toMatchObject({ accepted: 1 });
  });

  const api = (what: string, body?: object) =>
    request(mesh.admin, `$JS.API.${what}`, new TextEncoder().encode(body ? JSON.stringify(body) : ""));
});
