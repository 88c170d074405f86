import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { unpack } from "@tributary/shared/codec/msgpack";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { errorAnswer, valueAnswer } from "@tributary/shared/runtime/http-answer";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { connectOverHttp, type HttpConnectOptions } from "./connect-over-http.ts";

type Answer = (response: ServerResponse, request: IncomingMessage) => void;
interface Seen {
  readonly url: string | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: unknown;
}

/** A server that answers each request by the next of the script; the last answer stays. */
let script: Answer[] = [];
let seen: Seen[] = [];
let sockets = 0;
let server: Server;
let url = "";
beforeAll(async () => {
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    seen.push({ url: request.url, headers: request.headers, body: unpack(Buffer.concat(chunks)) });
    const answer = script.length > 1 ? script.shift() : script[0];
    answer?.(response, request);
  });
  server.on("connection", () => {
    sockets += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  seen = [];
});

const reply = { featureService: "s", catalogVersion: 1, epoch: "e", nowMs: 0, columns: [{ name: "f", values: [5] }] };
const writeReply = { outcomes: [{ kind: "refused", code: "BAD_VALUE" }], accepted: 0, refused: 1, unknown: 0 };
const connect = (more: HttpConnectOptions = {}) => connectOverHttp({ storeUrl: url, gatewayUrl: url, ...more });
const read = (timeoutMs = 5_000, more: HttpConnectOptions = {}) => connect(more).read("s", [{ k: "1" }], { timeoutMs });
const write = (timeoutMs = 5_000) => connect().write("v", [{ key: { k: "1" }, features: { f: 1 } }], { timeoutMs });

function value(status: number, body: unknown): Answer {
  return (response) => {
    const { headers, body: bytes } = valueAnswer(status, { value: body, encoding: "msgpack" });
    response.writeHead(status, headers).end(bytes);
  };
}
function refusal(code: ConstructorParameters<typeof TributaryError>[0], retryAfter?: string): Answer {
  return (response) => {
    const options = { encoding: "msgpack", bytesMax: 1 } as const;
    const { status, headers, body } = errorAnswer(new TributaryError(code, "its own words"), options);
    response.writeHead(status, { ...headers, ...(retryAfter && { "retry-after": retryAfter }) }).end(body);
  };
}
const page =
  (status: number, headers: Record<string, string> = {}): Answer =>
  (response) =>
    void response.writeHead(status, { "content-type": "text/html", ...headers }).end("<html>not ours</html>");
const hangUp: Answer = (_response, request) => void request.socket.destroy();
const silence: Answer = () => {};

describe("over HTTP", () => {
  it("requests keep their connections, the base path and the given headers", async () => {
    script = [value(200, reply)];
    const client = connect({ storeUrl: `${url}/behind/a/proxy`, headers: { Authorization: "Bearer t" } });
    const before = sockets;
    for (let n = 0; n < 20; n++) expect(await client.read("s", [{ k: "1" }])).toEqual([{ f: 5 }]);
    // One, and perhaps another for a request that came before the first was seen to be free.
    expect(sockets - before).toBeLessThanOrEqual(2);
    expect(seen[0]).toMatchObject({
      url: "/behind/a/proxy/v1/features/read",
      headers: { authorization: "Bearer t", "content-type": "application/msgpack" },
      body: { featureService: "s", keys: [{ k: "1" }] },
    });
  });

  it("a refusal is tried once more after its Retry-After", async () => {
    script = [refusal("OVERLOADED", "0"), value(200, reply)];
    expect(await read()).toEqual([{ f: 5 }]);
    script = [refusal("STREAM_FULL", "0"), value(200, writeReply)];
    expect(await write()).toEqual(writeReply);
    expect(seen).toHaveLength(4);
    script = [refusal("OVERLOADED", "0")];
    await expect(read()).rejects.toMatchObject({ code: "OVERLOADED", message: "its own words" });
    expect(seen).toHaveLength(6);
  });

  it("a Retry-After beyond the deadline is not waited for", async () => {
    for (const after of ["60", new Date(Date.now() + 60_000).toUTCString()]) {
      script = [refusal("OVERLOADED", after)];
      seen = [];
      await expect(read()).rejects.toMatchObject({ code: "OVERLOADED" });
      expect(seen).toHaveLength(1);
    }
  });

  it("errors of ours keep their code, and those that do not pass by themselves are not tried again", async () => {
    for (const code of ["UNKNOWN_SERVICE", "TOKEN_TIMEOUT", "BAD_KEY"] as const) {
      script = [refusal(code)];
      seen = [];
      await expect(read()).rejects.toMatchObject({ code, message: "its own words" });
      expect(seen).toHaveLength(1);
    }
  });

  it("a write's outcomes count whatever their status", async () => {
    script = [value(422, writeReply)];
    expect(await write()).toEqual(writeReply);
  });

  it.each([
    [401, "BAD_CONFIG", "credentials"],
    [403, "BAD_CONFIG", "credentials"],
    [404, "BAD_CONFIG", "storeUrl"],
    [302, "BAD_CONFIG", "storeUrl"],
    [413, "LIMIT_EXCEEDED", "413"],
    [500, "UNAVAILABLE", "500"],
    [502, "UNAVAILABLE", "502"],
    [504, "DEADLINE", "504"],
  ])("a page of somebody else with status %i is %s, naming the address", async (status, code, named) => {
    script = [page(status, { location: "/elsewhere" })];
    await expect(read()).rejects.toMatchObject({ code, message: expect.stringContaining(named) });
    await expect(read()).rejects.toMatchObject({ message: expect.stringContaining(url) });
  });

  it.each([
    ["that a proxy gave up on", page(502)],
    ["that a proxy waited for too long", page(504)],
    ["whose connection broke", hangUp],
  ])("a write %s is unknown and not sent again", async (_what, answer) => {
    script = [answer];
    await expect(write()).rejects.toMatchObject({ code: "UNKNOWN_OUTCOME" });
    expect(seen).toHaveLength(1);
  });

  it("a read whose connection broke is tried once more", async () => {
    script = [hangUp, value(200, reply)];
    expect(await read()).toEqual([{ f: 5 }]);
    script = [hangUp];
    await expect(read()).rejects.toMatchObject({ code: "UNAVAILABLE", message: expect.stringContaining(url) });
    expect(seen).toHaveLength(4);
  });

  it("events whose connection broke are sent again under their id", async () => {
    script = [hangUp, value(200, { stream: "TRIB_EVENTS", sequence: 1, duplicate: true })];
    await connect().publish("departures", { n: 1 });
    expect(seen).toHaveLength(2);
    expect(seen[1]).toEqual(seen[0]);
  });

  it("no answer in time is DEADLINE, and for a write UNKNOWN_OUTCOME", async () => {
    script = [silence];
    await expect(read(500)).rejects.toMatchObject({ code: "DEADLINE" });
    await expect(write(500)).rejects.toMatchObject({ code: "UNKNOWN_OUTCOME" });
    // Neither is sent again. On a machine that hangs, one may have timed out before the server read it.
    expect(seen.length).toBeLessThanOrEqual(2);
  });

  it("nobody listening is UNAVAILABLE, also for a write, naming address and reason", async () => {
    const gone = createServer();
    await new Promise<void>((resolve) => gone.listen(0, "127.0.0.1", resolve));
    const dead = `http://127.0.0.1:${(gone.address() as AddressInfo).port}`;
    await new Promise((resolve) => gone.close(resolve));
    const client = connectOverHttp({ storeUrl: dead, gatewayUrl: dead });
    const refused = {
      code: "UNAVAILABLE",
      message: expect.stringMatching(/127\.0\.0\.1:\d+ does not answer \(ECONNREFUSED\)/),
    };
    await expect(client.read("s", [{ k: "1" }])).rejects.toMatchObject(refused);
    await expect(client.write("v", [{ key: {} }])).rejects.toMatchObject(refused);
  });

  it("an answer that is no reply is refused", async () => {
    script = [page(200)];
    await expect(read()).rejects.toMatchObject({ code: "MALFORMED" });
  });

  it.each([
    [{ storeUrl: "127.0.0.1:7402" }, "storeUrl"],
    [{ gatewayUrl: "nats://a:secret@b:4222" }, "gatewayUrl"],
    [{ storeUrl: "http://user:secret@host:1" }, "headers"],
    [{ storeUrl: "http://host:1/?token=secret" }, "storeUrl"],
    [{ headers: { "bad name": "x" } }, "headers"],
  ])("%j is refused, naming the option and never a secret", (options, named) => {
    const refused = () => connectOverHttp(options);
    expect(refused).toThrow(expect.objectContaining({ code: "BAD_CONFIG", message: expect.stringContaining(named) }));
    expect(refused).not.toThrow(/secret/);
  });

  it("a client without a URL says which one a call needs", async () => {
    const client = connectOverHttp({});
    await expect(client.read("s", [{ k: "1" }])).rejects.toMatchObject({
      message: expect.stringContaining("storeUrl"),
    });
    for (const call of [client.write("v", [{ key: {} }]), client.publish("events", {})]) {
      await expect(call).rejects.toMatchObject({ code: "BAD_CONFIG", message: expect.stringContaining("gatewayUrl") });
    }
  });
});
