import { connectTributary } from "@tributary/client/connect";
import { connectOverHttp } from "@tributary/client/connect-over-http";
import { decodeReadReply } from "@tributary/client/reply-schema";
import type { Tributary } from "@tributary/client/tributary";
import { pack, unpack } from "@tributary/shared/codec/msgpack";
import type { ReadReply } from "@tributary/shared/contracts/read";
import { subjects } from "@tributary/shared/contracts/subjects";
import { compileDefinitions } from "@tributary/shared/definitions/compile";
import { entity } from "@tributary/shared/definitions/entity";
import { featureService } from "@tributary/shared/definitions/feature-service";
import { float64, int64, string, vector } from "@tributary/shared/definitions/feature-type";
import { directView } from "@tributary/shared/definitions/view";
import { request } from "@tributary/shared/messaging/request";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../support/until.ts";
import { type ClientMesh, startClientMesh } from "./client-mesh.ts";

/** What a ranker asks: 1,000 rows of 40 features, more than one message of the broker carries. */
const rows = 1_000;
const dimension = 64;
const names = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}_${i}`);
const [scores, texts, vectors] = [names("score", 20), names("text", 16), names("embedding", 4)];
const candidate = entity("candidate", { key: { id: int64() } });
const profile = directView("candidate_profile", {
  entity: candidate,
  producers: [],
  freshness: "1d",
  features: {
    ...Object.fromEntries(scores.map((name) => [name, float64()])),
    ...Object.fromEntries(texts.map((name) => [name, string()])),
    ...Object.fromEntries(vectors.map((name) => [name, vector(dimension)])),
  },
});
const ranking = featureService("candidate_ranking", [profile]);
const keys = Array.from({ length: rows }, (_, id) => ({ id }));

function featuresOf(id: number): Record<string, number | string | Float32Array> {
  const embedding = (from: number) => Float32Array.from({ length: dimension }, (_, i) => id + from + i / 64);
  return Object.fromEntries([
    ...scores.map((name, i) => [name, id + i / 100 + 0.001]),
    ...texts.map((name) => [name, `${name} of candidate ${id} `.padEnd(30, "x")]),
    ...vectors.map((name, i) => [name, embedding(i)]),
  ]);
}

let mesh: ClientMesh;
const clients = new Map<string, Tributary>();
beforeAll(async () => {
  mesh = await startClientMesh(undefined, compileDefinitions([ranking]));
  const [storeUrl, gatewayUrl] = [mesh.services.httpUrl("online-store"), mesh.services.httpUrl("direct-gateway")];
  const nats = await connectTributary({ natsUrl: mesh.servers.nats.url("client") });
  clients.set("NATS", nats);
  clients.set("HTTP", connectOverHttp({ storeUrl, gatewayUrl }));
  const after = await writeAll(nats);
  await until(() => nats.read(ranking.name, [{ id: rows - 1 }], { after }));
});
afterAll(async () => {
  for (const client of clients.values()) await client.close();
  await mesh?.stop();
});

/** Tokens of the last rows of every write. */
async function writeAll(client: Tributary) {
  const tokens = [];
  for (let from = 0; from < rows; from += 100) {
    const page = keys.slice(from, from + 100).map((key) => ({ key, features: featuresOf(key.id) }));
    const { outcomes } = await client.write(profile.name, page, { timeoutMs: 30_000 });
    tokens.push(...outcomes.flatMap((one) => (one.kind === "accepted" ? [one.token] : [])));
  }
  expect(tokens).toHaveLength(rows);
  return tokens.slice(-100);
}

describe.each(["NATS", "HTTP"])("1,000 rows of 40 features over %s", (name) => {
  it.each([false, true])("come whole and in order, by one catalog and epoch (detail: %s)", async (detail) => {
    const client = clients.get(name) as Tributary;
    const reply = await client.readReply(ranking.name, keys, { detail, timeoutMs: 30_000 });
    expect(pack(reply).length).toBeGreaterThan(1024 * 1024);
    expect(reply).toMatchObject({ featureService: ranking.name, catalogVersion: 1, epoch: expect.any(String) });
    expect(reply.columns).toHaveLength(40);
    for (const column of reply.columns) {
      for (const entries of Object.values(column).filter(Array.isArray)) expect(entries).toHaveLength(rows);
      if (detail) expect(new Set(column.statuses)).toEqual(new Set(["PRESENT"]));
    }
    expect(await client.read(ranking, keys, { timeoutMs: 30_000 })).toEqual(keys.map(({ id }) => featuresOf(id)));
  });
});

it.each(["NATS", "HTTP"])(
  "over %s columns of numbers come packed to those who welcome them, and to nobody else",
  async (name) => {
    const ask = async (headers: Readonly<Record<string, string>>) => {
      const body = pack({ featureService: ranking.name, keys: keys.slice(0, 40) });
      if (name === "NATS") return request(mesh.admin, subjects.readFeatures, body, { headers });
      const url = `${mesh.services.httpUrl("online-store")}/v1/features/read`;
      const type = { "content-type": "application/msgpack" };
      const response = await fetch(url, { method: "POST", body: Buffer.from(body), headers: { ...type, ...headers } });
      return new Uint8Array(await response.arrayBuffer());
    };
    const columnsOf = (reply: Uint8Array) => (unpack(reply) as ReadReply).columns;
    const lists = columnsOf(await ask({}));
    expect(new Set(lists.map((column) => Object.keys(column).join(" ")))).toEqual(new Set(["name values"]));
    const packed = await ask({ "Tributary-Columns": "packed" });
    expect(columnsOf(packed).filter((column) => "float64" in column)).toHaveLength(scores.length);
    expect(decodeReadReply(packed).columns).toEqual(lists);
    expect(columnsOf(await ask({ "Tributary-Columns": "folded" }))).toEqual(lists);
  },
);

it("a program without the client is told how many rows would have fitted, and they do", async () => {
  const ask = (count: number) =>
    request(mesh.admin, subjects.readFeatures, pack({ featureService: ranking.name, keys: keys.slice(0, count) }), {
      timeoutMs: 30_000,
    });
  const error = await ask(rows).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "LIMIT_EXCEEDED", message: expect.stringMatching(/about \d+ of its 1000 rows/) });
  const fitting = Number(/about (\d+)/.exec(String(error))?.[1]);
  expect((unpack(await ask(fitting)) as ReadReply).columns[0]?.values).toHaveLength(fitting);
  await expect(ask(Math.ceil(fitting * 1.02))).rejects.toMatchObject({ code: "LIMIT_EXCEEDED" });
});
