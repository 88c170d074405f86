import type { Connection } from "@tributary/shared/messaging/contract";
import { serveEndpoints } from "@tributary/shared/messaging/endpoints";
import { requestMany } from "@tributary/shared/messaging/request-many";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Broker, bytes, startBroker, text } from "./broker.ts";

let broker: Broker;
let client: Connection;
beforeAll(async () => {
  broker = await startBroker();
  client = await broker.connect("client");
});
afterAll(() => broker.stop());

const long = 10_000;

async function serve(catalogVersion: number) {
  return serveEndpoints(await broker.connect("online-store"), {
    name: "online-store",
    version: "0.1.0",
    description: "reads",
    stats: () => ({ catalogVersion }),
    endpoints: [{ name: "features", subject: "trib.v1.read.features", handle: async () => bytes("") }],
  });
}

test("every instance answers one question, with what it says of itself", async () => {
  const services = await Promise.all([serve(1), serve(2), serve(3)]);
  const ask = (countMax: number | undefined, quietMs: number) =>
    requestMany(client, "$SRV.STATS.online-store", { waitMs: long, quietMs, countMax });
  const counted = (await ask(3, long)) ?? [];
  const versions = counted.map((answer) => JSON.parse(text(answer)).endpoints[0].data.catalogVersion);
  expect(versions.sort()).toEqual([1, 2, 3]);
  expect(await ask(undefined, 300)).toHaveLength(3);
  expect(await ask(2, long)).toHaveLength(2);
  await Promise.all(services.map((service) => service.stop()));
});

test("nobody who listens is another answer than somebody who is silent", async () => {
  expect(await requestMany(client, "$SRV.STATS.nobody", { waitMs: long, quietMs: long })).toBeUndefined();
  const service = await serveEndpoints(await broker.connect("online-store"), {
    name: "deaf",
    version: "0.1.0",
    description: "never answers",
    endpoints: [{ name: "read", subject: "trib.v1.read.deaf", handle: () => new Promise(() => {}) }],
  });
  expect(await requestMany(client, "trib.v1.read.deaf", { waitMs: 50, quietMs: 50 })).toEqual([]);
  void service;
});

test("a question that the user may not ask is an error at once, and names the user", async () => {
  const store = await broker.connect("online-store");
  await expect(requestMany(store, "$SRV.STATS.online-store", { waitMs: long, quietMs: long })).rejects.toMatchObject({
    code: "BAD_CONFIG",
    message: expect.stringContaining('"online-store"'),
  });
});
