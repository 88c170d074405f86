import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { listProcesses } from "@tributary/local/process-table";
import { type Servers, startServers } from "@tributary/local/servers";
import type { ServiceSpec } from "@tributary/local/service-specs";
import { type ServicesOptions, startServices } from "@tributary/local/supervisor";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { until } from "../support/until.ts";

const directory = temporaryDirectory("supervisor");
const entry = fileURLToPath(new URL("./stub-service.ts", import.meta.url));
let servers: Servers;

beforeAll(async () => {
  servers = await startServers({ directory: directory.path, need: [] });
});

afterAll(async () => {
  await servers?.stop();
  directory.remove();
});

const stub = (name: string, environment: Record<string, string> = {}): ServiceSpec => ({
  name,
  entry,
  environment,
  http: true,
});

async function start(extra: readonly ServiceSpec[], limits: ServicesOptions["limits"] = {}) {
  const services = await startServices({ servers, names: [], extra, limits });
  onTestFinished(() => services.stop());
  return services;
}

const ask = async (url: string) => Number(await (await fetch(url)).text());

describe("supervisor", () => {
  it("starts services together and resolves when all are ready", async () => {
    const services = await start([stub("one"), stub("two")]);
    expect(services.names).toEqual(["one", "two"]);
    expect(await ask(services.httpUrl("one"))).toBe(services.pid("one"));
    expect(await ask(services.httpUrl("two"))).toBe(services.pid("two"));
    expect(readFileSync(services.logFile("one"), "utf8")).toContain('"ready"');
  });

  it("brings a killed service back at the same address", async () => {
    const services = await start([stub("killed")]);
    const before = services.pid("killed");
    await services.kill("killed");
    expect(services.pid("killed")).not.toBe(before);
    expect(await ask(services.httpUrl("killed"))).toBe(services.pid("killed"));
    expect(services.restarts("killed")).toBe(1);
  });

  it("brings back a service that somebody else killed", async () => {
    const services = await start([stub("victim")]);
    process.kill(Number(services.pid("victim")), "SIGKILL");
    await until(() => services.restarts("victim") === 1 && ask(services.httpUrl("victim")));
  });

  it("fails loudly, with the log's end, when a service does not start, and leaves nothing running", async () => {
    const broken = stub("broken", { STUB_FAILS: "at-start" });
    await expect(start([stub("fine"), broken])).rejects.toThrow(/broken[\s\S]*exit code 1[\s\S]*cannot go on/);
    expect(listProcesses(directory.path)).toEqual([]);
  });

  it("gives up on a service that keeps dying", async () => {
    const services = await start([stub("dying", { STUB_FAILS: "after-ready" })], { deathsPerMinuteMax: 2 });
    await expect(services.failed).rejects.toThrow(/dying died 3 times within a minute/);
  });

  it("stops services in order, and does not bring them back", async () => {
    const services = await start([stub("one"), stub("two")]);
    await services.stop();
    expect([services.pid("one"), services.pid("two")]).toEqual([undefined, undefined]);
    expect(readFileSync(services.logFile("one"), "utf8")).toContain('"stopped"');
    expect(listProcesses(directory.path)).toEqual([]);
  });

  it("stops a service that is paused", async () => {
    const services = await start([stub("paused")]);
    services.pause("paused");
    await services.stop();
    expect(readFileSync(services.logFile("paused"), "utf8")).toContain('"stopped"');
    expect(listProcesses(directory.path)).toEqual([]);
  });
});
