import { unpack } from "@tributary/shared/codec/msgpack";
import { deadLetterSchema } from "@tributary/shared/contracts/dead-letter";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { startConsumeLoop } from "@tributary/shared/messaging/consume-loop";
import { readConsumerState } from "@tributary/shared/messaging/consumer-state";
import {
  ack,
  type Connection,
  type ConsumeOptions,
  type DeliveredMessage,
  type Outcome,
  reject,
  retry,
} from "@tributary/shared/messaging/contract";
import { callApi } from "@tributary/shared/messaging/jetstream-api";
import { createPublisher } from "@tributary/shared/messaging/publisher";
import { readStoredMessage } from "@tributary/shared/messaging/stream-message";
import { readStreamState } from "@tributary/shared/messaging/stream-state";
import { ensureTopology } from "@tributary/shared/messaging/topology-admin";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { until } from "../support/until.ts";
import { type Broker, bytes, startBroker, text } from "./broker.ts";

let broker: Broker;
let admin: Connection;
let store: Connection;
beforeAll(async () => {
  broker = await startBroker();
  admin = await broker.connect("admin");
  store = await broker.connect("online-store");
});
afterAll(() => broker.stop());

/** Each test begins with an empty stream and a new durable. */
beforeEach(async () => {
  for (const stream of ["TRIB_ROWS_DIRECT", "TRIB_DLQ"]) await callApi(admin, `STREAM.DELETE.${stream}`);
  await ensureTopology(admin);
});

const subject = "trib.v1.rows.direct.p00.v";

async function publish(...values: readonly string[]): Promise<number[]> {
  const publisher = createPublisher(admin, { stream: "TRIB_ROWS_DIRECT" });
  const acks = await Promise.all(values.map((value) => publisher.publish({ subject, data: bytes(value) })));
  await publisher.close();
  return acks.map((it) => it.sequence);
}

function consume(options: Partial<ConsumeOptions> & Pick<ConsumeOptions, "handle">) {
  return startConsumeLoop(store, {
    stream: "TRIB_ROWS_DIRECT",
    durable: "online-store",
    lane: "direct",
    process: "online-store",
    ...options,
  });
}

function numbers(count: number): string[] {
  return Array.from({ length: count }, (_, index) => String(index));
}

async function isDone(): Promise<boolean> {
  const state = await readConsumerState(store, "TRIB_ROWS_DIRECT", "online-store");
  return state.ackPending === 0 && state.pending === 0;
}

async function deadLetter(sequence: number) {
  const message = await readStoredMessage(admin, "TRIB_DLQ", { seq: sequence });
  return deadLetterSchema.parse(unpack(message?.data ?? bytes("")));
}

test("messages are handed over in order, in bounded batches, and acknowledged", async () => {
  const values = numbers(300);
  await publish(...values);
  const seen: string[] = [];
  const sizes: number[] = [];
  const loop = await consume({
    batchMax: 32,
    handle: async (batch) => {
      seen.push(...batch.map((message) => text(message.data)));
      sizes.push(batch.length);
      return batch.map(() => ack);
    },
  });
  await until(isDone);
  await loop.stop();
  expect(seen).toEqual(values);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(32);
  expect(loop.counters).toEqual({ acked: 300, retried: 0, rejected: 0 });
  expect(loop.incarnation).toBe((await readStreamState(admin, "TRIB_ROWS_DIRECT")).incarnation);
  expect(await loop.ackFloor()).toBe(300);
});

test("a waiting loop is handed a message as it comes, not at the end of its pull", async () => {
  const seen: DeliveredMessage[] = [];
  const loop = await consume({
    handle: async (batch) => {
      seen.push(...batch);
      return batch.map(() => ack);
    },
  });
  // Fifty waits for the end of a pull would outlast the test.
  for (let index = 1; index <= 50; index += 1) {
    await publish(String(index));
    await until(() => seen.length === index);
  }
  expect(seen[0]).toMatchObject({ subject, stream: "TRIB_ROWS_DIRECT", sequence: 1, deliveries: 1 });
  expect(Math.abs((seen[0]?.timestampMs ?? 0) - Date.now())).toBeLessThan(60_000);
  await loop.stop();
});

test("while a batch is in hand, no more than the batch is held", async () => {
  await publish("first");
  let release: () => void = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let handled = 0;
  const loop = await consume({
    batchMax: 10,
    handle: async (batch) => {
      await held;
      handled += batch.length;
      return batch.map(() => ack);
    },
  });
  const ackPending = async () => (await readConsumerState(store, "TRIB_ROWS_DIRECT", "online-store")).ackPending;
  await until(async () => (await ackPending()) === 1);
  await publish(...numbers(199));
  await until(async () => (await ackPending()) >= 10);
  for (const value of numbers(5)) await publish(value);
  expect(await ackPending()).toBe(10);
  release();
  await until(() => handled === 205);
  await loop.stop();
});

test("a poisonous message lands in the dead letters with its cause after five tries; its neighbours are untouched", async () => {
  await publish("a", "poison", "b", "c");
  const good: string[] = [];
  const held: string[] = [];
  let tries = 0;
  const loop = await consume({
    handle: async (batch): Promise<readonly Outcome[]> => {
      return batch.map((message) => {
        if (text(message.data) === "poison") {
          tries += 1;
          return retry(1, "cannot be applied");
        }
        good.push(text(message.data));
        return ack;
      });
    },
    beforeDeadLetter: async (message, code) => {
      held.push(`${code} ${message.sequence}`);
    },
  });
  await until(isDone);
  await loop.stop();
  expect(good).toEqual(["a", "b", "c"]);
  expect(tries).toBe(5);
  expect(held).toEqual(["POISON 2"]);
  expect(loop.counters).toEqual({ acked: 3, retried: 4, rejected: 1 });
  expect(await readStreamState(admin, "TRIB_DLQ")).toMatchObject({ messages: 1 });
  expect(await deadLetter(1)).toMatchObject({
    lane: "direct",
    process: "online-store",
    stream: "TRIB_ROWS_DIRECT",
    sequence: 2,
    subject,
    code: "POISON",
    cause: "5 failures, the last: cannot be applied",
    deliveries: 5,
  });
  expect(text((await deadLetter(1)).payload)).toBe("poison");
});

test("a batch that throws is handed over again one by one: only the guilty message is set aside", async () => {
  await publish("a", "b", "poison", "c");
  const good = new Set<string>();
  const loop = await consume({
    triesMax: 3,
    handle: async (batch) => {
      if (batch.some((message) => text(message.data) === "poison")) throw new Error("unreadable");
      for (const message of batch) good.add(text(message.data));
      return batch.map(() => ack);
    },
  });
  await until(isDone);
  await loop.stop();
  expect([...good].sort()).toEqual(["a", "b", "c"]);
  expect(loop.counters).toMatchObject({ acked: 3, rejected: 1 });
  expect(await deadLetter(1)).toMatchObject({ sequence: 3, cause: "3 failures, the last: unreadable" });
});

test("uncounted retries and outages never lead to the dead letters", async () => {
  await publish("a", "b");
  let rounds = 0;
  const loop = await consume({
    triesMax: 2,
    handle: async (batch) => {
      rounds += 1;
      if (rounds <= 3) throw new TributaryError("UNAVAILABLE", "redis does not answer");
      return batch.map((message) => (message.deliveries < 12 ? retry(1, "redis", { counted: false }) : ack));
    },
  });
  await until(isDone);
  await loop.stop();
  expect(loop.counters).toMatchObject({ acked: 2, rejected: 0 });
  expect(await readStreamState(admin, "TRIB_DLQ")).toMatchObject({ messages: 0 });
});

test("a rejected message is set aside at once, and stays while its hold cannot be written", async () => {
  await publish("bad");
  let refusals = 0;
  const loop = await consume({
    handle: async (batch) => batch.map(() => reject("MALFORMED", "not a chunk")),
    beforeDeadLetter: async () => {
      refusals += 1;
      if (refusals === 1) throw new TributaryError("UNAVAILABLE", "redis does not answer");
      expect(await readStreamState(admin, "TRIB_DLQ")).toMatchObject({ messages: 0 });
    },
  });
  await until(isDone);
  await loop.stop();
  expect(refusals).toBe(2);
  expect(loop.counters).toEqual({ acked: 0, retried: 1, rejected: 1 });
  expect(await deadLetter(1)).toMatchObject({ code: "MALFORMED", cause: "not a chunk", sequence: 1 });
});

test("a payload too big for a dead letter is cut, and the cause says so", async () => {
  const size = admin.payloadMax - 1_000;
  await publish("x".repeat(size));
  const loop = await consume({ handle: async (batch) => batch.map(() => reject("MALFORMED", "too odd")) });
  await until(isDone);
  await loop.stop();
  const letter = await deadLetter(1);
  expect(letter.cause).toMatch(new RegExp(`^too odd \\(payload cut from ${size} to \\d+ bytes\\)$`));
  expect(letter.payload.length).toBeLessThan(size);
});

test("the loop survives a broker that is killed and started again", async () => {
  const seen = new Set<string>();
  const loop = await consume({
    handle: async (batch) => {
      for (const message of batch) seen.add(text(message.data));
      return batch.map(() => ack);
    },
  });
  await publish("before");
  await until(isDone);
  await broker.nats.kill();
  await broker.nats.start();
  await until(() => readStreamState(admin, "TRIB_ROWS_DIRECT"));
  await publish("after");
  await until(() => seen.has("after"));
  await loop.stop();
});

test("a message in hand for longer than the acknowledgement wait is not delivered again", async () => {
  const path = "TRIB_ROWS_DIRECT.online-store";
  const { config } = await callApi<{ config: Record<string, unknown> }>(admin, `CONSUMER.INFO.${path}`);
  const body = { stream_name: "TRIB_ROWS_DIRECT", config: { ...config, ack_wait: 2e9 } };
  await callApi(admin, `CONSUMER.DURABLE.CREATE.${path}`, body);
  await publish("slow");
  const deliveries: number[] = [];
  const loop = await consume({
    handle: async (batch) => {
      deliveries.push(...batch.map((message) => message.deliveries));
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      return batch.map(() => ack);
    },
  });
  await until(isDone);
  await loop.stop();
  expect(deliveries).toEqual([1]);
});

test("stopping finishes what is in hand and gives the rest back", async () => {
  await publish(...numbers(20));
  let release: () => void = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const seen: string[] = [];
  const first = await consume({
    batchMax: 20,
    handle: async (batch) => {
      seen.push(...batch.map((message) => text(message.data)));
      await held;
      return batch.map(() => ack);
    },
  });
  await until(() => seen.length > 0);
  const stopped = first.stop();
  release();
  await stopped;
  const second = await consume({
    handle: async (batch) => {
      seen.push(...batch.map((message) => text(message.data)));
      return batch.map(() => ack);
    },
  });
  await until(isDone);
  await second.stop();
  expect(seen.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => index));
});

test("a missing consumer is MISSING_RESOURCE naming it and what to run", async () => {
  await callApi(admin, "CONSUMER.DELETE.TRIB_ROWS_DIRECT.online-store");
  const start = consume({ handle: async (batch) => batch.map(() => ack) });
  await expect(start).rejects.toMatchObject({
    code: "MISSING_RESOURCE",
    message: "consumer online-store of stream TRIB_ROWS_DIRECT does not exist; run `tributary admin ensure`",
  });
});

test("a consumer deleted under a running loop fails it", async () => {
  const loop = await consume({ handle: async (batch) => batch.map(() => ack) });
  await callApi(admin, "CONSUMER.DELETE.TRIB_ROWS_DIRECT.online-store");
  await expect(loop.failed).rejects.toMatchObject({ code: "MISSING_RESOURCE" });
  await loop.stop();
});

test("an outage that pauses hands over nothing more until it is time to try again", async () => {
  await publish(...numbers(200));
  const pauseMs = 300;
  const calls: number[] = [];
  const loop = await consume({
    batchMax: 32,
    handle: async (batch) => {
      calls.push(performance.now());
      return batch.map(() => (calls.length <= 3 ? retry(pauseMs, "away", { counted: false, pauses: true }) : ack));
    },
  });
  await until(isDone);
  await loop.stop();
  const gaps = calls.slice(1, 4).map((at, i) => at - (calls[i] ?? 0));
  // A timer may be a millisecond early.
  expect(gaps.filter((gap) => gap < pauseMs - 2)).toEqual([]);
  expect(loop.counters).toMatchObject({ acked: 200, rejected: 0 });
});
