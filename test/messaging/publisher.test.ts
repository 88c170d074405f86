import { clientOf } from "@tributary/shared/messaging/client";
import { openConnection } from "@tributary/shared/messaging/connection";
import type { Connection } from "@tributary/shared/messaging/contract";
import { callApi } from "@tributary/shared/messaging/jetstream-api";
import { createPublisher } from "@tributary/shared/messaging/publisher";
import { readStoredMessage } from "@tributary/shared/messaging/stream-message";
import { readStreamState } from "@tributary/shared/messaging/stream-state";
import { ensureTopology } from "@tributary/shared/messaging/topology-admin";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startStallingProxy } from "../support/stalling-proxy.ts";
import { until } from "../support/until.ts";
import { type Broker, bytes, startBroker, text } from "./broker.ts";

let broker: Broker;
beforeAll(async () => {
  broker = await startBroker();
});
afterAll(() => broker.stop());

test("five hundred messages go through a window of sixteen, in call order", async () => {
  const connection = await broker.connect("batch-runner");
  const publisher = createPublisher(connection, { stream: "TRIB_ROWS_BATCH", inFlightMax: 16 });
  let inFlightMax = 0;
  const acks = await Promise.all(
    Array.from({ length: 500 }, async (_, index) => {
      const ack = publisher.publish({ subject: "trib.v1.rows.batch.p00.order", data: bytes(String(index)) });
      inFlightMax = Math.max(inFlightMax, publisher.inFlight);
      return ack;
    }),
  );
  expect(acks.map((ack) => ack.sequence)).toEqual(acks.map((_, index) => (acks[0]?.sequence ?? 0) + index));
  expect(inFlightMax).toBe(16);
  expect(publisher.inFlight).toBe(0);
  await publisher.close();
});

test("bytes in flight are bounded, and a message above that bound still goes alone", async () => {
  const connection = await broker.connect("batch-runner");
  const publisher = createPublisher(connection, { stream: "TRIB_ROWS_BATCH", inFlightBytesMax: 1_000 });
  const sends = [300, 5_000, 300, 300].map((size) =>
    publisher.publish({ subject: "trib.v1.rows.batch.p00.bytes", data: new Uint8Array(size) }),
  );
  expect(publisher.inFlight).toBe(1);
  expect((await Promise.all(sends)).map((ack) => ack.duplicate)).toEqual([false, false, false, false]);
  await publisher.close();
});

test("the same id is stored once and says so", async () => {
  const connection = await broker.connect("direct-gateway");
  const publisher = createPublisher(connection, { stream: "TRIB_ROWS_DIRECT" });
  const message = {
    subject: "trib.v1.rows.direct.p00.twice",
    data: bytes("a"),
    id: "twice-1",
    headers: { "X-Kept": "1" },
  };
  const first = await publisher.publish(message);
  const second = await publisher.publish(message);
  expect(second).toEqual({ ...first, duplicate: true });
  const stored = await readStoredMessage(connection, "TRIB_ROWS_DIRECT", { seq: first.sequence });
  expect(stored?.headers["X-Kept"]).toBe("1");
  expect(text(stored?.data ?? bytes(""))).toBe("a");
  await publisher.close();
});

test("a broker killed in mid-publish loses nothing acknowledged and stores no id twice", async () => {
  const connection = await broker.connect("batch-runner");
  const publisher = createPublisher(connection, { stream: "TRIB_ROWS_BATCH", inFlightMax: 32, ackTimeoutMs: 500 });
  const before = await readStreamState(connection, "TRIB_ROWS_BATCH");
  const total = 2_000;
  const acked: number[] = [];
  const sends = Array.from({ length: total }, async (_, index) => {
    const ack = await publisher.publish({
      subject: `trib.v1.rows.batch.p00.kill`,
      data: bytes(String(index)),
      id: `kill-${index}`,
    });
    acked.push(ack.sequence);
    return ack;
  });
  await until(() => acked.length >= 100);
  await broker.nats.kill();
  expect(acked.length).toBeLessThan(total);
  await broker.nats.start();
  const acks = await Promise.all(sends);
  const after = await until(() => readStreamState(connection, "TRIB_ROWS_BATCH"));
  expect(new Set(acks.map((ack) => ack.sequence)).size).toBe(total);
  expect(after.messages - before.messages).toBe(total);
  expect(after.incarnation).toBe(before.incarnation);
  for (const index of [0, 99, 100, 150, total - 1]) {
    const stored = await readStoredMessage(connection, "TRIB_ROWS_BATCH", { seq: acks[index]?.sequence ?? 0 });
    expect(text(stored?.data ?? bytes(""))).toBe(String(index));
  }
  await publisher.close();
});

test("a full stream is STREAM_FULL, and what waits behind it was never sent", async () => {
  const admin = await broker.connect("admin");
  const { config } = await callApi<{ config: Record<string, unknown> }>(admin, "STREAM.INFO.TRIB_ROWS_DIRECT");
  const full = await readStreamState(admin, "TRIB_ROWS_DIRECT");
  await callApi(admin, "STREAM.UPDATE.TRIB_ROWS_DIRECT", { ...config, max_bytes: full.bytes });
  const publisher = createPublisher(await broker.connect("direct-gateway"), {
    stream: "TRIB_ROWS_DIRECT",
    inFlightMax: 2,
    deadlineMs: 3_000,
  });
  const subject = "trib.v1.rows.direct.p00.full";
  const sends = await Promise.allSettled([1, 2, 3].map(() => publisher.publish({ subject, data: bytes("x") })));
  const codes = sends.map((send) => (send.status === "rejected" ? send.reason.code : "stored"));
  expect(codes).toEqual(["STREAM_FULL", "STREAM_FULL", "STREAM_FULL"]);

  const patient = publisher.publish({ subject, data: bytes("y") }, { deadlineMs: 20_000 });
  await until(() => publisher.inFlight === 1);
  await callApi(admin, "STREAM.UPDATE.TRIB_ROWS_DIRECT", config);
  expect((await patient).duplicate).toBe(false);
  await publisher.close();
});

test("an absent stream is UNAVAILABLE naming it, and its incarnation MISSING_RESOURCE", async () => {
  const admin = await broker.connect("admin");
  await callApi(admin, "STREAM.DELETE.TRIB_CTL");
  const publisher = createPublisher(admin, { stream: "TRIB_CTL", deadlineMs: 2_000 });
  await expect(publisher.publish({ subject: "trib.v1.ctl.test", data: bytes("x") })).rejects.toMatchObject({
    code: "UNAVAILABLE",
    message: expect.stringContaining("TRIB_CTL"),
  });
  await expect(publisher.incarnation()).rejects.toMatchObject({ code: "MISSING_RESOURCE" });
  await ensureTopology(admin);
  expect(await publisher.incarnation()).toBe((await readStreamState(admin, "TRIB_CTL")).incarnation);
  await publisher.close();
});

/** A frozen process may still answer for a moment. */
async function answers(connection: Connection): Promise<boolean> {
  const pong = clientOf(connection)
    .nats.flush()
    .then(() => true);
  return Promise.race([pong, new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 100))]);
}

test("a frozen broker is UNKNOWN_OUTCOME", async () => {
  const connection = await broker.connect("batch-runner");
  const publisher = createPublisher(connection, { stream: "TRIB_ROWS_BATCH", ackTimeoutMs: 100 });
  const subject = "trib.v1.rows.batch.p00.frozen";
  const { sequence } = await publisher.publish({ subject, data: bytes("before") });
  broker.nats.pause();
  try {
    await until(async () => !(await answers(connection)));
    const send = publisher.publish({ subject, data: bytes("x") }, { deadlineMs: 500 });
    await expect(send).rejects.toMatchObject({ code: "UNKNOWN_OUTCOME" });
  } finally {
    broker.nats.resume();
  }
  const { sequence: next } = await publisher.publish({ subject, data: bytes("after") });
  expect(next).toBe(sequence + 2);
  await publisher.close();
});

test("a message above the broker's limit is LIMIT_EXCEEDED before it is sent", async () => {
  const connection = await broker.connect("batch-runner");
  const publisher = createPublisher(connection, { stream: "TRIB_ROWS_BATCH" });
  const data = new Uint8Array(connection.payloadMax + 1);
  const send = publisher.publish({ subject: "trib.v1.rows.batch.p00.big", data });
  await expect(send).rejects.toMatchObject({ code: "LIMIT_EXCEEDED" });
  await publisher.close();
});

test("a subject of another stream is refused, never stored there", async () => {
  const admin = await broker.connect("admin");
  const publisher = createPublisher(admin, { stream: "TRIB_ROWS_BATCH", deadlineMs: 2_000 });
  const send = publisher.publish({ subject: "trib.v1.rows.stream.p00.other", data: bytes("x") });
  await expect(send).rejects.toMatchObject({ code: "INTERNAL" });
  await publisher.close();
});

test("a server that does not answer is UNAVAILABLE naming host and port, never the password", async () => {
  const dead = openConnection({ url: "nats://admin:secret-word@127.0.0.1:1", name: "test", startMsMax: 300 });
  const error: Error = await dead.then(
    () => new Error("connected"),
    (thrown) => thrown,
  );
  expect(error).toMatchObject({ code: "UNAVAILABLE", message: expect.stringContaining("127.0.0.1:1") });
  expect(error.message).not.toContain("secret-word");
});

test("a server that answers slowly is waited for, one that does not listen is tried for a while only", async () => {
  const waits = { startMsMax: 100_000, retryMsMax: 100 };
  const nobody = openConnection({ url: "nats://admin:secret@127.0.0.1:1", name: "test", ...waits });
  await expect(nobody).rejects.toMatchObject({ code: "UNAVAILABLE" });
  const proxy = await startStallingProxy(Number(new URL(broker.nats.url("admin")).port));
  proxy.hold("");
  const slow = openConnection({
    url: broker.nats.url("admin").replace(/:\d+$/, `:${proxy.port}`),
    name: "test",
    ...waits,
  });
  await new Promise((resolve) => setTimeout(resolve, 500));
  proxy.release();
  await (await slow).close();
  await proxy.close();
});

test("a wrong password is BAD_CONFIG at once, naming the user", async () => {
  const url = broker.nats.url("client").replace(/:[^:@]+@/, ":wrong@");
  await expect(openConnection({ url, name: "test" })).rejects.toMatchObject({
    code: "BAD_CONFIG",
    message: expect.stringContaining('refuses user "client"'),
  });
});
