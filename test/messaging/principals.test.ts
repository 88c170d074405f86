import { type PrincipalName, principalTable } from "@tributary/shared/contracts/principals";
import { subjects } from "@tributary/shared/contracts/subjects";
import { openBucket } from "@tributary/shared/messaging/bucket";
import { clientOf } from "@tributary/shared/messaging/client";
import { startConsumeLoop } from "@tributary/shared/messaging/consume-loop";
import { ack, type Connection } from "@tributary/shared/messaging/contract";
import { openCursor } from "@tributary/shared/messaging/cursor";
import { publishDeadLetter } from "@tributary/shared/messaging/dead-letter";
import { serveEndpoints } from "@tributary/shared/messaging/endpoints";
import { createPublisher } from "@tributary/shared/messaging/publisher";
import { request } from "@tributary/shared/messaging/request";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../support/until.ts";
import { type Broker, bytes, startBroker, text } from "./broker.ts";

let broker: Broker;
const connections = new Map<PrincipalName, Connection>();
beforeAll(async () => {
  broker = await startBroker();
  for (const { name } of principalTable) connections.set(name, await broker.connect(name));
});
afterAll(() => broker.stop());

function as(name: PrincipalName): Connection {
  const connection = connections.get(name);
  if (connection === undefined) throw new Error(`no connection of ${name}`);
  return connection;
}

/** Who besides admin may publish to each of these subjects. Nobody else may. */
const publishers: readonly (readonly [string, readonly PrincipalName[]])[] = [
  ["trib.v1.events.departures", ["client", "direct-gateway"]],
  ["trib.v1.keyed.p00.departures.airport", ["stream-processor"]],
  ["trib.v1.rows.batch.p00.route_profile", ["batch-runner"]],
  ["trib.v1.rows.stream.p00.airport_now", ["stream-processor"]],
  ["trib.v1.rows.direct.p00.congestion", ["direct-gateway"]],
  ["trib.v1.dlq.direct.online-store", ["batch-runner", "stream-processor", "online-store"]],
  ["trib.v1.ctl.clock", []],
  [subjects.readFeatures, ["client"]],
  [subjects.writeRows, ["client"]],
  [subjects.batchRun, ["client"]],
  [subjects.storeStatus, ["client"]],
  ["$KV.TRIB_CATALOG.current", []],
  ["$KV.TRIB_CLOCK.clock", []],
  ["$KV.TRIB_IDEMPOTENCY.k", ["direct-gateway"]],
  ["$KV.TRIB_ERASURES.erasure.k", []],
  ["$KV.TRIB_ERASURES.receipt.k.online-store", ["online-store"]],
  ["$KV.TRIB_ERASURES.receipt.k.batch-runner", ["batch-runner"]],
  ["$KV.TRIB_ERASURES.receipt.k.stream-processor", ["stream-processor"]],
  ["$KV.TRIB_ERASURES.lift.k", []],
  [subjects.storeErasure, []],
  [subjects.batchErasure, []],
  ["$JS.API.STREAM.CREATE.TRIB_X", []],
  ["$JS.API.STREAM.DELETE.TRIB_ROWS_DIRECT", []],
  ["$JS.API.STREAM.PURGE.TRIB_ROWS_DIRECT", []],
  ["$JS.API.STREAM.MSG.DELETE.TRIB_ROWS_DIRECT", ["online-store"]],
  ["$JS.API.STREAM.MSG.DELETE.TRIB_EVENTS", []],
  ["$JS.API.CONSUMER.DELETE.TRIB_KEYED.x", ["stream-processor"]],
  ["$JS.API.CONSUMER.MSG.NEXT.TRIB_ROWS_DIRECT.online-store", ["online-store"]],
  ["$JS.ACK.TRIB_ROWS_DIRECT.online-store.1.1.1.1.0", ["online-store"]],
  ["_INBOX.client.stolen", []],
];

const subscribers: readonly (readonly [string, readonly PrincipalName[]])[] = [
  [subjects.readFeatures, ["online-store"]],
  [subjects.writeRows, ["direct-gateway"]],
  [subjects.batchRun, ["batch-runner"]],
  [subjects.streamStatus, ["stream-processor"]],
  ["trib.v1.rows.direct.>", []],
  ["trib.v1.events.>", []],
  ["_INBOX.>", []],
  ["_INBOX.client.>", ["client"]],
  ["$JS.>", []],
  ["$SRV.PING", ["batch-runner", "stream-processor", "direct-gateway", "online-store"]],
  [">", []],
];

const ordinary = principalTable.filter((principal) => principal.name !== "admin").map((principal) => principal.name);

describe.each(ordinary)("the user %s", (name) => {
  test("publishes to its own subjects and to no others", async () => {
    const client = clientOf(await broker.connect(name));
    const refused = new Set<string>();
    client.listen({ onPublishRefused: (subject) => refused.add(subject) });
    for (const [subject] of publishers) client.nats.publish(subject, "x");
    await client.nats.flush();
    const forbidden = publishers.filter(([, allowed]) => !allowed.includes(name)).map(([subject]) => subject);
    await until(() => refused.size >= forbidden.length);
    expect([...refused].sort()).toEqual(forbidden.sort());
  });

  test("subscribes to its own subjects and to no others", async () => {
    const { nats } = clientOf(await broker.connect(name));
    const refused: string[] = [];
    for (const [subject] of subscribers) {
      nats.subscribe(subject, { callback: (error) => error !== null && refused.push(subject) });
    }
    await nats.flush();
    const forbidden = subscribers.filter(([, allowed]) => !allowed.includes(name)).map(([subject]) => subject);
    expect(refused.sort()).toEqual(forbidden.sort());
  });

  test("reads and watches the catalog and the clock", async () => {
    const admin = await openBucket(as("admin"), "TRIB_CLOCK");
    await admin.put("clock", bytes("now"));
    for (const bucketName of ["TRIB_CATALOG", "TRIB_CLOCK"] as const) {
      const bucket = await openBucket(as(name), bucketName);
      await bucket.keys();
      await bucket.get("absent");
    }
    const seen: string[] = [];
    const clock = await openBucket(as(name), "TRIB_CLOCK");
    const watch = await clock.watch("clock", (entry) => seen.push(text(entry.value)));
    await admin.put("clock", bytes(`later ${name}`));
    await until(() => seen.at(-1) === `later ${name}`);
    await watch.stop();
  });
});

test.each([
  ["client", "TRIB_EVENTS", "trib.v1.events.departures"],
  ["stream-processor", "TRIB_KEYED", "trib.v1.keyed.p00.s.e"],
  ["stream-processor", "TRIB_ROWS_STREAM", "trib.v1.rows.stream.p00.v"],
  ["batch-runner", "TRIB_ROWS_BATCH", "trib.v1.rows.batch.p00.v"],
  ["direct-gateway", "TRIB_ROWS_DIRECT", "trib.v1.rows.direct.p00.v"],
] as const)("%s publishes into %s and knows its incarnation", async (name, stream, subject) => {
  const publisher = createPublisher(as(name), { stream, deadlineMs: 5_000 });
  expect((await publisher.publish({ subject, data: bytes("x") })).stream).toBe(stream);
  expect(await publisher.incarnation()).toBeGreaterThan(0);
  await publisher.close();
});

test("a gateway that publishes rows of the batch lane is refused at once, by name", async () => {
  const publisher = createPublisher(as("direct-gateway"), { stream: "TRIB_ROWS_BATCH" });
  const send = publisher.publish({ subject: "trib.v1.rows.batch.p00.v", data: bytes("x") });
  await expect(send).rejects.toMatchObject({
    code: "BAD_CONFIG",
    message: 'user "direct-gateway" may not publish to trib.v1.rows.batch.p00.v',
  });
  await publisher.close();
});

test.each(["TRIB_ROWS_BATCH", "TRIB_ROWS_STREAM", "TRIB_ROWS_DIRECT"] as const)(
  "online-store consumes %s, reads its floor and replays it",
  async (stream) => {
    const loop = await startConsumeLoop(as("online-store"), {
      stream,
      durable: "online-store",
      lane: "any",
      process: "online-store",
      handle: async (batch) => batch.map(() => ack),
    });
    await until(async () => (await loop.ackFloor()) > 0);
    await loop.stop();
    const cursor = await openCursor(as("online-store"), { stream, filter: rowsFilter[stream], from: 0 });
    expect((await cursor.next(1, 5_000)).length).toBe(1);
    await cursor.close();
  },
);

const rowsFilter = {
  TRIB_ROWS_BATCH: "trib.v1.rows.batch.*.*",
  TRIB_ROWS_STREAM: "trib.v1.rows.stream.*.*",
  TRIB_ROWS_DIRECT: "trib.v1.rows.direct.*.*",
} as const;

test("stream-processor reads events and its keyed series, and sets events aside", async () => {
  for (const [stream, filter] of [
    ["TRIB_EVENTS", "trib.v1.events.departures"],
    ["TRIB_KEYED", subjects.keyedPartition(0)],
  ] as const) {
    const cursor = await openCursor(as("stream-processor"), { stream, filter, from: 0 });
    expect((await cursor.next(1, 5_000)).length).toBe(1);
    expect(await cursor.drained()).toBe(false);
    await cursor.close();
  }
  await publishDeadLetter(as("stream-processor"), {
    lane: "stream",
    process: "stream-processor",
    stream: "TRIB_EVENTS",
    sequence: 1,
    subject: "trib.v1.events.departures",
    code: "MALFORMED",
    cause: "test",
    deliveries: 1,
    payload: bytes("x"),
  });
});

test("direct-gateway keeps idempotency keys", async () => {
  const bucket = await openBucket(as("direct-gateway"), "TRIB_IDEMPOTENCY");
  const revision = await bucket.create("producer.key", bytes("reserved"));
  await bucket.update("producer.key", bytes("done"), revision);
  expect(text((await bucket.get("producer.key"))?.value ?? bytes(""))).toBe("done");
});

test.each([
  ["online-store", subjects.readFeatures],
  ["online-store", subjects.storeStatus],
  ["direct-gateway", subjects.writeRows],
  ["batch-runner", subjects.batchRun],
  ["batch-runner", subjects.batchStatus],
  ["stream-processor", subjects.streamStatus],
] as const)("a client asks %s on %s", async (name, subject) => {
  const service = await serveEndpoints(as(name), {
    name,
    version: "0.1.0",
    description: "",
    endpoints: [{ name: "it", subject, handle: async (asked) => bytes(asked.principal) }],
  });
  expect(text(await request(as("client"), subject, bytes("")))).toBe("client");
  expect(JSON.parse(text(await request(as("client"), `$SRV.PING.${name}`, bytes("")))).name).toBe(name);
  await service.stop();
});

test("a request that the user may not send is BAD_CONFIG naming the subject", async () => {
  await expect(request(as("direct-gateway"), subjects.batchRun, bytes(""))).rejects.toMatchObject({
    code: "BAD_CONFIG",
    message: expect.stringContaining(subjects.batchRun),
  });
});
