import { TributaryError } from "@tributary/shared/contracts/errors";
import { clientOf } from "@tributary/shared/messaging/client";
import type { Connection, Endpoint, EndpointRequest, MicroService } from "@tributary/shared/messaging/contract";
import { serveEndpoints } from "@tributary/shared/messaging/endpoints";
import { toHeaderBlock } from "@tributary/shared/messaging/header-block";
import { request } from "@tributary/shared/messaging/request";
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../support/until.ts";
import { type Broker, bytes, startBroker, text } from "./broker.ts";

let broker: Broker;
let store: Connection;
let client: Connection;
beforeAll(async () => {
  broker = await startBroker();
  store = await broker.connect("online-store");
  client = await broker.connect("client");
});
afterAll(() => broker.stop());

const subject = "trib.v1.read.features";

function serve(handle: Endpoint["handle"], more: Partial<Endpoint> = {}): Promise<MicroService> {
  return serveEndpoints(store, {
    name: "online-store",
    version: "0.1.0",
    description: "reads",
    metadata: { instance: "online-store-1" },
    endpoints: [{ name: "features", subject, handle, ...more }],
  });
}

async function serviceAnswer(verb: string) {
  return JSON.parse(text(await request(client, `$SRV.${verb}`, new Uint8Array())));
}

test("a request gets its reply, and the handler is told who asks and until when", async () => {
  const seen: EndpointRequest[] = [];
  const service = await serve(async (asked) => {
    seen.push(asked);
    return bytes(`re: ${text(asked.data)}`);
  });
  const before = Date.now();
  expect(text(await request(client, subject, bytes("hello"), { timeoutMs: 3_000, headers: { "X-A": "b" } }))).toBe(
    "re: hello",
  );
  expect(seen[0]).toMatchObject({ subject, principal: "client" });
  expect(seen[0]?.headers["X-A"]).toBe("b");
  expect(seen[0]?.deadlineMs).toBeGreaterThanOrEqual(before + 3_000);
  expect(seen[0]?.deadlineMs).toBeLessThanOrEqual(Date.now() + 3_000);
  await service.stop();
});

test("only a trusted front may name another principal", async () => {
  const service = await serve(async (asked) => bytes(asked.principal));
  const headers = { "Tributary-Principal": "tower-model" };
  expect(text(await request(client, subject, bytes(""), { headers }))).toBe("client");
  const admin = await broker.connect("admin");
  expect(text(await request(admin, subject, bytes(""), { headers }))).toBe("tower-model");
  await service.stop();
});

test("a failure after an await reaches the caller with its code and is counted; the service goes on", async () => {
  const service = await serve(async (asked) => {
    await Promise.resolve();
    if (text(asked.data) === "unknown")
      throw new TributaryError("UNKNOWN_SERVICE", 'no feature service "x"\r\nin here');
    if (text(asked.data) === "defect") throw new Error("boom");
    return bytes("fine");
  });
  await expect(request(client, subject, bytes("unknown"))).rejects.toMatchObject({
    code: "UNKNOWN_SERVICE",
    message: 'no feature service "x" in here',
  });
  await expect(request(client, subject, bytes("defect"))).rejects.toMatchObject({ code: "INTERNAL", message: "boom" });
  expect(text(await request(client, subject, bytes("")))).toBe("fine");
  const raw = await clientOf(client).nats.request(subject, "unknown");
  expect(raw.headers?.get("Nats-Service-Error-Code")).toBe("404");
  const stats = await serviceAnswer("STATS.online-store");
  expect(stats.endpoints[0]).toMatchObject({ num_requests: 4, num_errors: 3 });
  expect(stats.endpoints[0].last_error).toContain("UNKNOWN_SERVICE");
  expect(stats.endpoints[0].processing_time).toBeGreaterThan(0);
  await service.stop();
});

test("PING, INFO and STATS answer for all, for the name and for the one instance", async () => {
  const service = await serve(async () => bytes(""), { metadata: { format: "json, msgpack" } });
  const identity = { name: "online-store", id: service.id, version: "0.1.0", metadata: { instance: "online-store-1" } };
  for (const suffix of ["", ".online-store", `.online-store.${service.id}`]) {
    expect(await serviceAnswer(`PING${suffix}`)).toEqual({ ...identity, type: "io.nats.micro.v1.ping_response" });
    expect(await serviceAnswer(`INFO${suffix}`)).toEqual({
      ...identity,
      type: "io.nats.micro.v1.info_response",
      description: "reads",
      endpoints: [{ name: "features", subject, queue_group: "q", metadata: { format: "json, msgpack" } }],
    });
    expect(await serviceAnswer(`STATS${suffix}`)).toMatchObject({
      ...identity,
      type: "io.nats.micro.v1.stats_response",
      endpoints: [{ name: "features", subject, num_requests: 0, num_errors: 0 }],
    });
  }
  await service.stop();
});

test("two instances share the requests, and each answers a ping", async () => {
  let count = 0;
  const handle = async () => {
    count += 1;
    return bytes("");
  };
  const services = [await serve(handle), await serve(handle)];
  await Promise.all(Array.from({ length: 40 }, () => request(client, subject, bytes(""))));
  expect(count).toBe(40);
  const shares = await Promise.all(services.map((it) => serviceAnswer(`STATS.online-store.${it.id}`)));
  for (const share of shares) expect(share.endpoints[0].num_requests).toBeGreaterThan(0);
  await Promise.all(services.map((service) => service.stop()));
});

test("above its bound an endpoint answers OVERLOADED at once and asks nobody to wait", async () => {
  let release: () => void = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let working = 0;
  const service = await serve(
    async () => {
      working += 1;
      await held;
      return bytes("done");
    },
    { concurrencyMax: 2 },
  );
  const first = [1, 2].map(() => request(client, subject, bytes("")));
  await until(() => working === 2);
  await expect(request(client, subject, bytes(""))).rejects.toMatchObject({ code: "OVERLOADED" });
  release();
  expect((await Promise.all(first)).map(text)).toEqual(["done", "done"]);
  expect(working).toBe(2);
  await service.stop();
});

test("a caller that met a full endpoint is tried once more", async () => {
  let calls = 0;
  const service = await serve(async () => {
    calls += 1;
    if (calls === 1) throw new TributaryError("OVERLOADED", "full");
    return bytes("second");
  });
  expect(text(await request(client, subject, bytes("")))).toBe("second");
  expect(calls).toBe(2);
  await service.stop();
});

test("a request whose deadline has passed is not worked on", async () => {
  let worked = 0;
  const service = await serve(async () => {
    worked += 1;
    return bytes("");
  });
  const headers = toHeaderBlock({ "Tributary-Deadline-Ms": String(Date.now() - 1) });
  const reply = await clientOf(client).nats.request(subject, "", { timeout: 2_000, ...(headers && { headers }) });
  expect(reply.headers?.get("Tributary-Error")).toBe("DEADLINE");
  expect(worked).toBe(0);
  await service.stop();
});

test("a silent handler is DEADLINE for its caller", async () => {
  let release: () => void = () => {};
  const held = new Promise<Uint8Array>((resolve) => {
    release = () => resolve(bytes(""));
  });
  const service = await serve(() => held);
  await expect(request(client, subject, bytes(""), { timeoutMs: 200 })).rejects.toMatchObject({
    code: "DEADLINE",
    message: expect.stringContaining(subject),
  });
  release();
  await service.stop();
});

test("a subject that nobody serves is UNAVAILABLE naming it", async () => {
  await expect(request(client, subject, bytes(""))).rejects.toMatchObject({
    code: "UNAVAILABLE",
    message: expect.stringContaining(subject),
  });
});

test("a request or reply above the broker's limit is LIMIT_EXCEEDED", async () => {
  const service = await serve(async () => new Uint8Array(client.payloadMax));
  await expect(request(client, subject, new Uint8Array(client.payloadMax))).rejects.toMatchObject({
    code: "LIMIT_EXCEEDED",
  });
  await expect(request(client, subject, bytes(""))).rejects.toMatchObject({ code: "LIMIT_EXCEEDED" });
  await service.stop();
});

test("an endpoint that the user may not serve fails the start with its subject", async () => {
  const start = serveEndpoints(store, {
    name: "online-store",
    version: "0.1.0",
    description: "",
    endpoints: [{ name: "rows", subject: "trib.v1.write.rows", handle: async () => bytes("") }],
  });
  await expect(start).rejects.toMatchObject({
    code: "BAD_CONFIG",
    message: expect.stringContaining("trib.v1.write.rows"),
  });
});

test("stopping answers what is in hand and takes nothing new", async () => {
  let release: () => void = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let working = 0;
  const service = await serve(async (asked) => {
    working += 1;
    if (text(asked.data) === "hold") await held;
    return bytes("answered");
  });
  const inHand = request(client, subject, bytes("hold"));
  await until(() => working === 1);
  const stopped = service.stop();
  await until(() =>
    request(client, subject, bytes("")).then(
      () => false,
      (error) => error.code === "UNAVAILABLE",
    ),
  );
  release();
  expect(text(await inHand)).toBe("answered");
  await stopped;
});

test("endpoints answer again after the broker was killed and started", async () => {
  const service = await serve(async () => bytes("here"));
  await request(client, subject, bytes(""));
  await broker.nats.kill();
  await broker.nats.start();
  await until(async () => text(await request(client, subject, bytes(""), { timeoutMs: 1_000 })) === "here");
  await service.stop();
});

test("what every instance hears, the one whose it is answers, and nobody answers what is nobody's", async () => {
  const heard: string[] = [];
  const ownerOf = (mine: string) =>
    serve(async (asked) => bytes(`${mine}: ${text(asked.data)}`), {
      isMine: ({ data }) => {
        heard.push(mine);
        return text(data) === mine;
      },
    });
  const services = [await ownerOf("a"), await ownerOf("b")];
  for (const mine of ["a", "b", "a"])
    expect(text(await request(client, subject, bytes(mine), { timeoutMs: 3_000 }))).toBe(`${mine}: ${mine}`);
  await until(() => heard.toSorted().join("") === "aaabbb");
  await expect(request(client, subject, bytes("c"), { timeoutMs: 200 })).rejects.toMatchObject({ code: "DEADLINE" });
  expect((await serviceAnswer(`INFO.online-store.${services[0]?.id}`)).endpoints[0]).toMatchObject({
    subject,
    queue_group: "",
  });
  await Promise.all(services.map((service) => service.stop()));
});
