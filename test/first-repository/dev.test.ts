import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { listProcesses, ownerOf } from "@tributary/local/process-table";
import { startServers } from "@tributary/local/servers";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "../cli/run-cli.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { until } from "../support/until.ts";
import { type DevProcess, featureRepository, startDev } from "./dev-process.ts";

const temporary = temporaryDirectory("dev");
const folder = featureRepository(join(temporary.path, "features"));
const directory = join(folder, ".tributary");
const definitions = join(folder, "features.ts");
const original = readFileSync(definitions, "utf8");

const started: DevProcess[] = [];
function start(at: string, args: readonly string[] = [], environment: Readonly<Record<string, string>> = {}) {
  const dev = startDev(at, args, environment);
  started.push(dev);
  return dev;
}

afterAll(async () => {
  await Promise.all(started.map((dev) => (dev.child.exitCode === null ? dev.end("SIGTERM") : undefined)));
  temporary.remove();
});

const call = (...args: string[]) => runCli(args, { directory: folder });
const save = (change: (text: string) => string) => writeFileSync(definitions, change(original));
const withTempo = (text: string) => text.replace("mood: string() }", "mood: string(), tempo: int64() }");

async function read(feature: string): Promise<unknown> {
  const { json } = await call("get", "track_card", "track=blue-lamp", "--json");
  const { data } = json() as { data: { rows: Record<string, unknown>[] } };
  return data.rows[0]?.[feature];
}

describe("tributary dev", () => {
  let dev: DevProcess;

  beforeAll(() => {
    dev = start(folder);
  });
  afterEach(() => save((text) => text));

  it("applies the definitions, runs everything, and says where", async () => {
    const servers = await dev.next("servers");
    expect(servers).toMatchObject({ directory, nats: expect.stringMatching(/^\d/) });
    expect(await dev.next("applied")).toMatchObject({ version: 1, changed: true, views: 3, featureServices: 1 });
    const { storeUrl, gatewayUrl, examples } = await dev.next("ready");
    for (const url of [storeUrl, gatewayUrl]) expect((await fetch(`${url}/readyz`)).status, url).toBe(200);
    expect(examples).toContain("get track_card track=… --detail");
    await until(async () => (await read("ratings")) === 2, { what: "the batch view over data/ratings.csv" });
  });

  it("applies what is saved, while the services stay the processes they were", async () => {
    const before = listProcesses(directory);
    expect(before.map(({ name }) => name)).toEqual(expect.arrayContaining(["online-store", "batch-runner"]));
    save(withTempo);
    expect(await dev.next("applied")).toMatchObject({ version: 2, changed: true });
    expect(await call("put", "track_mood", "track=blue-lamp", "--set", "tempo=97")).toMatchObject({ code: 0 });
    await until(async () => (await read("tempo")) === 97);
    expect(listProcesses(directory)).toEqual(before);
  });

  it("asks before something goes that somebody may read, and says how to consent", async () => {
    const refused = await dev.next("refused"); // the end of the test before this one saved the definitions of the beginning
    expect(refused).toMatchObject({ code: "INVALID_DEFINITION", consent: "apply features.ts --allow-destroy" });
    expect(refused.message).toContain('"track_mood.tempo"');
    expect(await read("tempo")).toBe(97);
    expect(await call(...(refused.consent ?? "").split(" "))).toMatchObject({ code: 0 });
    expect(await read("tempo")).toBeUndefined();
  });

  it.each([
    ["does not parse", "export const broken = (", /features\.ts/],
    ["ends its process", "process.exit(3);", /ended the process \(exit code 3\)/],
    ["does not compile to a catalog", 'export const none = entity("none", { key: {} });', /none/],
  ])("tells when the module %s, and goes on with the next save", async (_, line, said) => {
    save((text) => `${text}${line}\n`);
    const refused = await dev.next("refused");
    expect(refused.message).toMatch(said);
    expect(refused.consent).toBeUndefined();
    save((text) => `${text}// mended: ${line.length}\n`);
    expect(await dev.next("applied")).toMatchObject({ changed: false });
  });

  it("sees what the definitions read besides, in folders below too", async () => {
    mkdirSync(join(folder, "parts"));
    writeFileSync(join(folder, "parts/promise.ts"), 'export const freshness = "2h";\n');
    save((text) => `import { freshness } from "./parts/promise.ts";\n${text.replace('freshness: "1h"', "freshness")}`);
    await until(async () => (await dev.next("applied")).changed);
    writeFileSync(join(folder, "parts/promise.ts"), 'export const freshness = "3h";\n');
    expect((await dev.next("changed")).files).toEqual(["parts/promise.ts"]);
    const { plan } = await dev.next("applied");
    expect(plan.changes).toMatchObject([{ what: "view", name: "track_rating", differences: [{ after: 10_800_000 }] }]);
  });

  it("is told apart from a second one in the same folder, which says who runs", async () => {
    const { code, stderr } = await call("dev");
    expect(code).toBe(2);
    expect(stderr).toContain(`process ${ownerOf(directory)?.pid} runs here already`);
  });

  it.each(["SIGINT", "SIGTERM"] as const)(
    "ends with everything it started at %s, and keeps what it held",
    async (signal) => {
      expect(await dev.end(signal)).toBe(0);
      expect(dev.events.at(-1)).toEqual({ event: "stopped" });
      expect(listProcesses(directory)).toEqual([]);
      expect(existsSync(join(directory, "environment.json"))).toBe(false);
      dev = start(folder);
      expect(await dev.next("applied")).toMatchObject({ version: expect.any(Number) });
      await dev.next("ready");
      expect(await read("ratings")).toBe(2);
    },
  );

  it("ends in order when one Ctrl-C comes twice, as npm hands it on", async () => {
    dev.child.kill("SIGINT");
    await dev.next("stopping");
    expect(await dev.end("SIGINT")).toBe(0);
    expect(dev.events.at(-1)).toEqual({ event: "stopped" });
    dev = start(folder);
    await dev.next("ready");
  });

  it("leaves nothing running when it is killed, and starts again", async () => {
    const before = listProcesses(directory);
    expect(before.length).toBeGreaterThanOrEqual(7);
    await dev.end("SIGKILL");
    await until(() => listProcesses(directory).length === 0, { what: "the watchdog ends what was left" });
    dev = start(folder, ["--fresh"]);
    expect(await dev.next("applied")).toMatchObject({ version: 1, changed: true });
    await dev.next("ready");
    expect(await dev.end()).toBe(0);
  });
});

describe("tributary dev elsewhere", () => {
  it("names the file that is not there, and how to get one", async () => {
    const { code, stderr } = await runCli(["dev"], { directory: temporary.path });
    expect(code).toBe(3);
    expect(stderr).toContain("has no features.ts");
    expect(existsSync(join(temporary.path, ".tributary"))).toBe(false);
  });

  it("uses the servers that variables name, and leaves them running", async () => {
    const other = temporaryDirectory("dev-servers");
    const servers = await startServers({ directory: other.path, fsync: false });
    try {
      const at = featureRepository(join(temporary.path, "external"));
      const urls = { REDIS_URL: servers.redis.url, DATABASE_URL: servers.postgres.url };
      const dev = start(at, [], { ...urls, NATS_URL: servers.nats.url("admin") });
      expect(await dev.next("servers")).toMatchObject({ nats: "external", redis: "external", postgres: "external" });
      await dev.next("ready");
      expect(listProcesses(join(at, ".tributary")).map(({ name }) => name)).not.toContain("nats-server");
      expect(await dev.end()).toBe(0);
      expect(servers.nats.pid).toBeDefined();
    } finally {
      await servers.stop();
      other.remove();
    }
  });
});
