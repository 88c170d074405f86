import { setTimeout as pause } from "node:timers/promises";
import { ask } from "@tributary/shared/messaging/ask";
import { clientOf } from "@tributary/shared/messaging/client";
import type { Connection, MicroService } from "@tributary/shared/messaging/contract";
import { serveEndpoints } from "@tributary/shared/messaging/endpoints";
import { request } from "@tributary/shared/messaging/request";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type Broker, bytes, startBroker, text } from "./broker.ts";

const subject = "trib.v1.read.features";

let broker: Broker;
let store: Connection;
let client: Connection;
let service: MicroService;
beforeAll(async () => {
  broker = await startBroker();
  store = await broker.connect("online-store");
});
afterAll(() => broker.stop());

/** Says what it was asked after as many ms as it was asked. */
beforeEach(async () => {
  client = await broker.connect("client");
  service = await serveEndpoints(store, {
    name: "online-store",
    version: "0.1.0",
    description: "reads",
    metadata: {},
    endpoints: [
      {
        name: "features",
        subject,
        handle: async ({ data }) => {
          await pause(Number(text(data)));
          return data;
        },
      },
    ],
  });
});
afterEach(async () => {
  await client.close();
  await service.stop();
});

async function echo(ms: number, timeoutMs = 5_000): Promise<number> {
  return Number(text(await request(client, subject, bytes(String(ms)), { timeoutMs })));
}

test("each request gets its own answer, in whatever order they come", async () => {
  const asked = Array.from({ length: 50 }, (_, i) => (i * 37) % 50);
  const came: number[] = [];
  const answers = await Promise.all(
    asked.map(async (ms) => {
      const answer = await echo(ms);
      came.push(answer);
      return answer;
    }),
  );
  expect(answers).toEqual(asked);
  expect(came).not.toEqual(asked);
});

test("an answer behind the deadline is nobody's, and those of other requests stay theirs", async () => {
  const late = echo(150, 50);
  const inTime = echo(200);
  await expect(late).rejects.toMatchObject({ code: "DEADLINE", message: expect.stringContaining(subject) });
  expect(await inTime).toBe(200);
  expect(await echo(0)).toBe(0);
});

test("a request that is on its way when its connection is closed may have been heard: DEADLINE, long before it", async () => {
  const onItsWay = echo(1_000, 600_000);
  onItsWay.catch(() => undefined);
  await pause(50);
  await client.close();
  await expect(onItsWay).rejects.toMatchObject({ code: "DEADLINE" });
});

test("a request on a closed connection is UNAVAILABLE", async () => {
  await client.close();
  await expect(echo(0, 600_000)).rejects.toMatchObject({
    code: "UNAVAILABLE",
    message: expect.stringContaining("the connection to nats-server is closed"),
  });
});

test("of requests that the user may not send each is told so, and the others are answered", async () => {
  const forbidden = () => request(client, "trib.v1.nobody.may", bytes(""), { timeoutMs: 5_000 });
  const [first, second, allowed] = await Promise.allSettled([forbidden(), forbidden(), echo(20)]);
  for (const refused of [first, second])
    expect(refused).toMatchObject({ status: "rejected", reason: { code: "BAD_CONFIG" } });
  expect(allowed).toMatchObject({ status: "fulfilled", value: 20 });
});

test("where the user may not hear the answers, each request is refused, and not left to its deadline", async () => {
  const deaf = { ...clientOf(client), user: "online-store" };
  for (let i = 0; i < 2; i++)
    await expect(ask(deaf, { subject, data: bytes("0"), timeoutMs: 600_000 })).rejects.toMatchObject({
      why: "refused",
    });
});
