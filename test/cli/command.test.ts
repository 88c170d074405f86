import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Mesh, startMesh } from "../support/mesh.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { until } from "../support/until.ts";
import { runCli } from "./run-cli.ts";

const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const folder = temporaryDirectory("cli");
let mesh: Mesh;
const cli = (...args: string[]) => runCli(args, { directory: join(folder.path, "below") });

beforeAll(async () => {
  mesh = await startMesh({ services: ["direct-gateway", "online-store"] });
  const environment = {
    natsUrl: mesh.servers.nats.url("client"),
    adminNatsUrl: mesh.servers.nats.url("admin"),
    databaseUrl: mesh.servers.postgres.url,
  };
  mkdirSync(join(folder.path, ".tributary"));
  mkdirSync(join(folder.path, "below"));
  writeFileSync(join(folder.path, ".tributary", "environment.json"), JSON.stringify(environment));
});
afterAll(async () => {
  await mesh?.stop();
  folder.remove();
});

describe("tributary", () => {
  it("verifies an environment that is there, and changes nothing", async () => {
    const { code, json, stdout, stderr } = await cli("admin", "ensure", "--json");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).not.toMatch(/"result":"(created|updated)"/);
    const verified = expect.arrayContaining(["0001_catalog_and_leases.sql"]);
    expect(json()).toMatchObject({ ok: true, data: { database: { applied: [], verified } } });
  });

  it("applies definitions, and says when nothing changed", async () => {
    expect((await cli("apply", file("features.ts"), "--json")).json()).toMatchObject({
      ok: true,
      data: { version: 1, changed: true },
    });
    const again = await cli("apply", file("features.ts"));
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining("unchanged: catalog version 1") });
  });

  it("names everything that is wrong with definitions", async () => {
    const { code, json } = await cli("apply", file("broken-features.ts"), "--json");
    expect(code).toBe(4);
    const message = expect.stringMatching(/first[\s\S]*second/);
    expect(json()).toMatchObject({
      ok: false,
      error: { code: "INVALID_DEFINITION", message, hint: expect.any(String) },
    });
    const place = { file: file("broken-features.ts"), line: expect.any(Number) };
    expect(json()).toHaveProperty("error.problems", [
      { ...place, definition: 'view "first"', problem: expect.stringContaining("freshness") },
      { ...place, definition: 'view "second"', problem: expect.stringContaining("ttl") },
    ]);
    expect((await cli("apply", "nowhere.ts")).stderr).toContain("nowhere.ts");
  });

  it("writes a row and reads it with lane and age", async () => {
    const put = await cli("put", "congestion", "code=ORD", "--set", "score=0.75", "reason=snow", "--json");
    expect(put.json()).toMatchObject({
      ok: true,
      data: { kind: "accepted", token: { features: ["score", "reason"] } },
    });
    const get = ["get", "boarding", "origin=ORD", "destination=LAX"];
    const text = await until(async () => {
      const { stdout } = await cli(...get, "--detail");
      return stdout.includes("0.75") && stdout;
    });
    expect(text).toMatch(/origin_score +0\.75 +direct +PRESENT +age .* +fresh/);
    expect(text).toMatch(/destination_score +null +direct +NOT_FOUND/);
    const { json } = await cli(...get, "origin=LAX", "destination=ORD", "--json");
    const rows = [
      { origin_score: 0.75, destination_score: null },
      { origin_score: null, destination_score: 0.75 },
    ];
    expect(json()).toMatchObject({ ok: true, data: { rows } });
  });

  it("publishes an event from its argument and from standard input", async () => {
    const event = { origin: "ORD", delay: 3, at: "2001-03-01T12:00:00Z" };
    const one = await cli("publish", "departures", JSON.stringify(event), "--json");
    expect(one.json()).toMatchObject({ ok: true, data: { events: 1, stream: "TRIB_EVENTS", sequence: 1 } });
    const options = { directory: folder.path, input: JSON.stringify([event, event]) };
    expect((await runCli(["publish", "departures", "-"], options)).stdout).toContain("2 stored");
  });

  it("sets, pauses and shows the clock", async () => {
    expect((await cli("clock", "set", "2001-03-01T00:00:00Z", "--rate", "60")).code).toBe(0);
    expect((await cli("clock", "pause", "--json")).json()).toMatchObject({ data: { rate: 0 } });
    const now = expect.stringMatching(/^2001-03-01T/);
    expect((await cli("clock", "show", "--json")).json()).toMatchObject({ data: { rate: 0, now } });
  });

  it("tells which services answer, with its own exit code when some do not", async () => {
    const { code, json } = await cli("status", "--json");
    expect(code).toBe(6);
    const services = [
      { service: "batch-runner", up: false },
      { service: "stream-processor", up: false },
      { service: "direct-gateway", up: true },
      { service: "online-store", up: true },
    ];
    expect(json()).toMatchObject({ ok: true, data: { services, store: { lanes: [{}, {}, {}] }, stream: null } });
  });

  it("lists no process where nothing was started", async () => {
    expect((await cli("admin", "processes", "--json")).stdout).toBe("[]\n");
  });
});

describe.concurrent("exit codes", () => {
  it.each<[string, string[], number, string]>([
    ["an unknown view is 3", ["put", "nope", "code=ORD", "--set", "score=1"], 3, "UNKNOWN_VIEW"],
    ["an unknown feature service is 3", ["get", "nope", "a=1"], 3, "UNKNOWN_SERVICE"],
    ["a value out of range is 4", ["put", "congestion", "code=ORD", "--set", "score=7"], 4, "BAD_VALUE"],
    ["an event that is not JSON is 4", ["publish", "departures", "{"], 4, "MALFORMED"],
    ["a service that is down is 5", ["run", "profile"], 5, "UNAVAILABLE"],
    ["an unknown command is 2", ["nope"], 2, "USAGE"],
    ["an argument too few is 2", ["put", "congestion"], 2, "USAGE"],
  ])("%s", async (_what, args, code, error) => {
    const result = await cli(...args, "--json");
    expect(result.json()).toMatchObject({ ok: false, error: { code: error } });
    expect(result.code).toBe(code);
    expect(result.stderr).not.toBe("");
  });

  it("a server that is not there is 5, and settings that are not there are 2", async () => {
    const environment = { NATS_URL: "nats://client:x@127.0.0.1:1" };
    expect((await runCli(["status"], { directory: folder.path, environment })).code).toBe(5);
    const elsewhere = temporaryDirectory("elsewhere");
    const missing = await runCli(["status"], { directory: elsewhere.path });
    elsewhere.remove();
    expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining("NATS_URL") });
  });

  it("an interrupt is 130", async () => {
    const child = runCli(["publish", "departures", "-"], {
      directory: folder.path,
      input: null,
      onStart: (started) => started.stderr?.once("data", () => started.kill("SIGINT")),
    });
    expect((await child).code).toBe(130);
  });

  it("help is 0, has examples, and no colours outside a terminal", async () => {
    const { code, stdout } = await cli("get", "--help");
    expect(code).toBe(0);
    expect(stdout).toContain("Examples:\n  tributary get boarding");
    expect(stdout).not.toContain("\u001b[");
  });
});
