import { clientOf } from "@tributary/shared/messaging/client";
import type { Connection, Cursor, DeliveredMessage } from "@tributary/shared/messaging/contract";
import { openCursor, openStreamCursor } from "@tributary/shared/messaging/cursor";
import { callApi } from "@tributary/shared/messaging/jetstream-api";
import { createPublisher } from "@tributary/shared/messaging/publisher";
import { readStreamState } from "@tributary/shared/messaging/stream-state";
import { ensureTopology } from "@tributary/shared/messaging/topology-admin";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { until } from "../support/until.ts";
import { type Broker, bytes, startBroker, text } from "./broker.ts";

let broker: Broker;
let admin: Connection;
let reader: Connection;
beforeAll(async () => {
  broker = await startBroker();
  admin = await broker.connect("admin");
  reader = await broker.connect("stream-processor");
});
afterAll(() => broker.stop());

const stream = "TRIB_KEYED";
const everything = "trib.v1.keyed.>";
const mine = "trib.v1.keyed.p01.>";

beforeEach(async () => {
  await callApi(admin, `STREAM.DELETE.${stream}`);
  await ensureTopology(admin);
});

async function publish(partition: string, ...values: readonly string[]): Promise<void> {
  const publisher = createPublisher(admin, { stream });
  const subject = `trib.v1.keyed.${partition}.s.e`;
  await Promise.all(values.map((value) => publisher.publish({ subject, data: bytes(value) })));
  await publisher.close();
}

function range(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, index) => String(from + index));
}

async function read(cursor: Cursor, count: number): Promise<DeliveredMessage[]> {
  const messages: DeliveredMessage[] = [];
  await until(async () => {
    messages.push(...(await cursor.next(count - messages.length, 50)));
    return messages.length >= count;
  });
  return messages;
}

test("messages come in order from the wanted sequence, bounded by the buffer", async () => {
  await publish("p01", ...range(0, 500));
  const cursor = await openCursor(reader, { stream, filter: everything, from: 101, bufferMax: 20 });
  const first = await until(() => cursor.next(1_000, 1_000));
  expect(first.length).toBeLessThanOrEqual(20);
  const rest = await read(cursor, 400 - first.length);
  expect([...first, ...rest].map((message) => text(message.data))).toEqual(range(100, 500));
  expect(cursor.position).toBe(500);
  expect(cursor.incarnation).toBe((await readStreamState(admin, stream)).incarnation);
  await cursor.close();
});

test("a filter leaves holes in the sequences, and none is taken for a gap", async () => {
  for (const value of range(0, 20)) await publish(Number(value) % 2 === 0 ? "p01" : "p02", value);
  const cursor = await openCursor(reader, { stream, filter: mine, from: 0 });
  const messages = await read(cursor, 10);
  expect(messages.map((message) => message.sequence)).toEqual([1, 3, 5, 7, 9, 11, 13, 15, 17, 19]);
  expect(await cursor.next(10, 20)).toEqual([]);
  await cursor.close();
});

test("a waiting reader gets a message as it comes", async () => {
  const cursor = await openCursor(reader, { stream, filter: everything, from: 0 });
  const waiting = cursor.next(10, 20_000);
  await publish("p01", "a");
  expect((await waiting).map((message) => text(message.data))).toEqual(["a"]);
  await cursor.close();
});

test("drained is true only when all that was stored has been handed over", async () => {
  await publish("p01", "a", "b");
  const cursor = await openCursor(reader, { stream, filter: mine, from: 0 });
  expect(await cursor.drained()).toBe(false);
  await read(cursor, 1);
  expect(await cursor.drained()).toBe(false);
  await read(cursor, 1);
  expect(await cursor.drained()).toBe(true);
  await publish("p02", "not mine");
  expect(await cursor.drained()).toBe(true);
  await publish("p01", "c");
  expect(await cursor.drained()).toBe(false);
  await read(cursor, 1);
  expect(await cursor.drained()).toBe(true);
  await cursor.close();
});

test("a broker that is killed and started again leaves no gap and no repetition", async () => {
  await publish("p01", ...range(0, 300));
  const cursor = await openCursor(reader, { stream, filter: everything, from: 1, bufferMax: 64 });
  const messages = await read(cursor, 100);
  await broker.nats.kill();
  await broker.nats.start();
  await until(() => readStreamState(admin, stream));
  await publish("p01", ...range(300, 400));
  messages.push(...(await read(cursor, 300)));
  expect(messages.map((message) => text(message.data))).toEqual(range(0, 400));
  await cursor.close();
});

test("a consumer that is lost under the reader is made again where it stood", async () => {
  await publish("p01", "a");
  const cursor = await openCursor(reader, { stream, filter: everything, from: 1 });
  await read(cursor, 1);
  const { consumers } = await callApi<{ consumers: string[] }>(admin, `CONSUMER.NAMES.${stream}`);
  expect(consumers).toHaveLength(1);
  await callApi(admin, `CONSUMER.DELETE.${stream}.${consumers[0]}`);
  await publish("p01", "b", "c");
  expect((await read(cursor, 2)).map((message) => text(message.data))).toEqual(["b", "c"]);
  await cursor.close();
  await until(async () => (await callApi<{ total: number }>(admin, `CONSUMER.NAMES.${stream}`)).total === 0);
});

test("a message lost on the way shows as a gap in the deliveries, and is read again", async () => {
  await publish("p01", "a");
  const cursor = await openCursor(reader, { stream, filter: everything, from: 1 });
  await read(cursor, 1);
  const { consumers } = await callApi<{ consumers: string[] }>(admin, `CONSUMER.NAMES.${stream}`);
  // Another puller on the same consumer takes "b" away: for the reader, delivery 3 follows 1.
  const thief = await broker.connect("admin");
  let stolen = 0;
  const inbox = "_INBOX.admin.thief";
  clientOf(thief).nats.subscribe(inbox, {
    callback: () => {
      stolen += 1;
    },
  });
  await publish("p01", "b");
  expect((await read(cursor, 1)).map((message) => text(message.data))).toEqual(["b"]);
  const pull = JSON.stringify({ batch: 1, expires: 5e9 });
  clientOf(thief).nats.publish(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumers[0]}`, pull, { reply: inbox });
  await clientOf(thief).nats.flush();
  await publish("p01", ...range(0, 10));
  expect((await read(cursor, 10)).map((message) => text(message.data))).toEqual(range(0, 10));
  expect(stolen).toBe(1);
  await cursor.close();
});

test("a stream made anew is HISTORY_LOST, for a running reader and for one that starts", async () => {
  await publish("p01", "a", "b");
  const cursor = await openCursor(reader, { stream, filter: everything, from: 1 });
  await read(cursor, 2);
  await callApi(admin, `STREAM.DELETE.${stream}`);
  await ensureTopology(admin);
  await publish("p01", ...range(0, 10));
  const lost = until(() =>
    cursor.next(10, 100).then(
      () => false,
      (error) => error,
    ),
  );
  expect(await lost).toMatchObject({ code: "HISTORY_LOST" });
  const { incarnation } = cursor;
  await cursor.close();
  const again = openCursor(reader, { stream, filter: everything, from: 3, incarnation });
  await expect(again).rejects.toMatchObject({ code: "HISTORY_LOST", message: expect.stringContaining("made anew") });
});

test("a stream that begins above the wanted sequence is HISTORY_LOST, unless whatever is left was asked for", async () => {
  await publish("p01", ...range(0, 10));
  await callApi(admin, `STREAM.PURGE.${stream}`, { seq: 6 });
  const open = (from: number) => openCursor(reader, { stream, filter: everything, from });
  await expect(open(1)).rejects.toMatchObject({
    code: "HISTORY_LOST",
    message: expect.stringContaining("begins at 6"),
  });
  await expect(open(5)).rejects.toMatchObject({ code: "HISTORY_LOST" });
  for (const from of [0, 6]) {
    const cursor = await open(from);
    expect((await read(cursor, 5)).map((message) => message.sequence)).toEqual([6, 7, 8, 9, 10]);
    await cursor.close();
  }
});

test("an emptied stream has lost nothing for a reader at its end, and all for one before it", async () => {
  await publish("p01", ...range(0, 10));
  await callApi(admin, `STREAM.PURGE.${stream}`);
  const open = (from: number) => openCursor(reader, { stream, filter: everything, from });
  await expect(open(10)).rejects.toMatchObject({ code: "HISTORY_LOST" });
  const cursor = await open(11);
  await publish("p01", "next");
  expect((await read(cursor, 1)).map((message) => message.sequence)).toEqual([11]);
  await cursor.close();
});

test("a stream that ends below the position is HISTORY_LOST", async () => {
  await publish("p01", "a");
  const start = openCursor(reader, { stream, filter: everything, from: 5 });
  await expect(start).rejects.toMatchObject({ code: "HISTORY_LOST", message: expect.stringContaining("ends at 1") });
});

test("what the stream drops before a slow reader has read it is HISTORY_LOST, never skipped in silence", async () => {
  await publish("p01", ...range(0, 50));
  const cursor = await openStreamCursor(reader, {
    stream,
    filter: everything,
    from: 1,
    bufferMax: 5,
    guardEveryMs: 100,
  });
  await read(cursor, 5);
  await callApi(admin, `STREAM.PURGE.${stream}`, { seq: 41 });
  const lost = until(() =>
    cursor.next(1, 10).then(
      () => false,
      (error) => error,
    ),
  );
  expect(await lost).toMatchObject({ code: "HISTORY_LOST" });
  await cursor.close();
});

test("the position of a silent source moves on with the stream, so that retention does not overtake it", async () => {
  await publish("p01", "a");
  const cursor = await openStreamCursor(reader, { stream, filter: mine, from: 1, guardEveryMs: 100 });
  await read(cursor, 1);
  await publish("p02", ...range(0, 20));
  await until(async () => (await cursor.next(10, 100)).length === 0 && cursor.position === 21);
  await callApi(admin, `STREAM.PURGE.${stream}`, { seq: 20 });
  await publish("p01", "b");
  expect((await read(cursor, 1)).map((message) => text(message.data))).toEqual(["b"]);
  await cursor.close();
});

test("a missing stream is MISSING_RESOURCE naming it", async () => {
  await callApi(admin, `STREAM.DELETE.${stream}`);
  await expect(openCursor(reader, { stream, filter: everything, from: 0 })).rejects.toMatchObject({
    code: "MISSING_RESOURCE",
    message: "stream TRIB_KEYED does not exist; run `tributary admin ensure`",
  });
});
