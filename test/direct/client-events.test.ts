import { ensureEnvironment } from "@tributary/cli/admin/ensure";
import { connectTributary, type Tributary } from "@tributary/client/connect";
import { type Servers, startServers } from "@tributary/local/servers";
import { decodePayload } from "@tributary/shared/codec/json-or-msgpack";
import { openConnection } from "@tributary/shared/messaging/connection";
import { openCursor } from "@tributary/shared/messaging/cursor";
import { readStreamState } from "@tributary/shared/messaging/stream-state";
import { afterAll, beforeAll, expect, it } from "vitest";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const directory = temporaryDirectory("events");
let servers: Servers;
let client: Tributary;

beforeAll(async () => {
  servers = await startServers({ directory: directory.path, need: ["nats"] });
  await ensureEnvironment({ natsUrl: servers.nats.url("admin") });
  client = await connectTributary({ natsUrl: servers.nats.url("client") });
});
afterAll(async () => {
  await client?.close();
  await servers?.stop();
  directory.remove();
});

const eventOf = (n: number) => ({ n, at: new Date(n), origin: "ORD" });

async function stored() {
  const admin = await openConnection({ url: servers.nats.url("admin"), name: "test" });
  const state = await readStreamState(admin, "TRIB_EVENTS");
  const cursor = await openCursor(admin, { stream: "TRIB_EVENTS", filter: "trib.v1.events.>", from: 1 });
  const messages: { sequence: number; events: Record<string, unknown>[] }[] = [];
  while (messages.length < state.messages) {
    for (const { sequence, data } of await cursor.next(500, 100)) {
      messages.push({ sequence, events: decodePayload(data).value as Record<string, unknown>[] });
    }
  }
  await cursor.close();
  await admin.close();
  return messages;
}

it("single publishes at the same time share messages, and each learns where its event is", async () => {
  const acks = await Promise.all(Array.from({ length: 2_000 }, (_, n) => client.publish("departures", eventOf(n))));
  const messages = await stored();
  expect(messages.length).toBeLessThan(20);
  expect(messages.flatMap(({ events }) => events.map(({ n }) => n))).toEqual(
    Array.from({ length: 2_000 }, (_, n) => n),
  );
  const [first] = messages[0]?.events ?? [];
  expect(first).toEqual({ n: 0, at: 0, origin: "ORD" });
  for (const [n, { sequence }] of acks.entries()) {
    expect(messages.find((one) => one.sequence === sequence)?.events.some((event) => event.n === n)).toBe(true);
  }
});

it("events published again under their id are stored once", async () => {
  const before = (await stored()).length;
  const events = [eventOf(1), eventOf(2)];
  const first = await client.publish("departures", events, { id: "file-7" });
  const again = await client.publish("departures", events, { id: "file-7" });
  expect(again).toEqual({ ...first, duplicate: true });
  expect((await stored()).length).toBe(before + 1);
});

it("a server that restarts in mid-publish loses nothing and stores nothing twice", async () => {
  const before = (await stored()).flatMap(({ events }) => events).length;
  const published = Promise.all(
    Array.from({ length: 200 }, async (_, n) => {
      await new Promise((resolve) => setImmediate(resolve));
      return client.publish("departures", eventOf(10_000 + n));
    }),
  );
  await servers.nats.kill();
  await servers.nats.start();
  await published;
  const after = (await stored()).flatMap(({ events }) => events.map(({ n }) => n));
  expect(after.slice(before).sort((a, b) => Number(a) - Number(b))).toEqual(
    Array.from({ length: 200 }, (_, n) => 10_000 + n),
  );
});
