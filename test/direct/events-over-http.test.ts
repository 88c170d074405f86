import { pack } from "@tributary/shared/codec/msgpack";
import { limits } from "@tributary/shared/contracts/limits";
import { subjects } from "@tributary/shared/contracts/subjects";
import { openCursor } from "@tributary/shared/messaging/cursor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type GatewayMesh, startGatewayMesh } from "./gateway-mesh.ts";

let mesh: GatewayMesh;
beforeAll(async () => {
  mesh = await startGatewayMesh({ services: ["direct-gateway"] });
});
afterAll(() => mesh?.stop());

async function post(path: string, body: string | Uint8Array, type = "application/json") {
  const url = `${mesh.services.httpUrl("direct-gateway")}/v1/events/${path}`;
  const response = await fetch(url, { method: "POST", body: Buffer.from(body), headers: { "content-type": type } });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

describe("events over HTTP", () => {
  it("are stored as they came, whatever the encoding, and answered with the broker's acknowledgement", async () => {
    const json = '{"origin":"ORD","delay":5}';
    const first = await post("departures", json);
    expect(first).toEqual({ status: 200, body: { stream: "TRIB_EVENTS", sequence: 1, duplicate: false } });
    const packed = pack([{ origin: "ORD" }, { origin: "LAX" }]);
    const url = `${mesh.services.httpUrl("direct-gateway")}/v1/events/departures`;
    const headers = { "content-type": "application/msgpack" };
    expect((await fetch(url, { method: "POST", body: Buffer.from(packed), headers })).status).toBe(200);
    const cursor = await openCursor(mesh.admin, {
      stream: "TRIB_EVENTS",
      filter: subjects.events("departures"),
      from: 1,
    });
    const messages = [];
    while (messages.length < 2) messages.push(...(await cursor.next(2, 100)));
    await cursor.close();
    expect(messages.map(({ data }) => Buffer.from(data))).toEqual([Buffer.from(json), Buffer.from(packed)]);
  });

  it("are stored once under one id of their source", async () => {
    const first = await post("departures?id=file%207", "{}");
    expect(await post("departures?id=file%207", "{}")).toMatchObject({
      status: 200,
      body: { sequence: first.body.sequence, duplicate: true },
    });
    expect(await post("arrivals?id=file%207", "{}")).toMatchObject({ body: { duplicate: false } });
  });

  it.each([
    [400, "MALFORMED", "departures", "[]"],
    [400, "MALFORMED", "departures", "[1]"],
    [400, "MALFORMED", "departures", "nonsense"],
    [400, "MALFORMED", "departures?id=", "{}"],
    [400, "MALFORMED", "departures?id=a%0Ab", "{}"],
    [404, "UNKNOWN_SOURCE", "a.b", "{}"],
    [404, "UNKNOWN_SOURCE", "%3E", "{}"],
    [413, "LIMIT_EXCEEDED", "departures", JSON.stringify({ text: "x".repeat(limits.eventBytesMax) })],
    [
      413,
      "LIMIT_EXCEEDED",
      "departures",
      JSON.stringify(Array.from({ length: limits.eventsPerMessageMax + 1 }, () => ({}))),
    ],
  ])("that cannot be events are answered %i %s", async (status, code, path, body) => {
    expect(await post(path, body)).toMatchObject({ status, body: { error: { code } } });
  });

  it("are refused in another content type, and counted", async () => {
    expect((await post("departures", "{}", "text/plain")).status).toBe(415);
    const metrics = await (await fetch(`${mesh.services.httpUrl("direct-gateway")}/metrics`)).text();
    expect(metrics).toMatch(/tributary_gateway_events_total [1-9]/);
    expect(metrics).toMatch(/request_errors_total\{code="UNKNOWN_SOURCE"\} 2/);
  });
});
