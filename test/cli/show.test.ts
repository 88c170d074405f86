import { fileURLToPath } from "node:url";
import { ensureEnvironment } from "@tributary/cli/admin/ensure";
import { type Servers, startServers } from "@tributary/local/servers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { folderFor } from "./environment-file.ts";
import { runCli } from "./run-cli.ts";

const directory = temporaryDirectory("show");
let servers: Servers;
let folder: ReturnType<typeof folderFor>;
const cli = (...args: string[]) => runCli(args, { directory: folder.path });

beforeAll(async () => {
  servers = await startServers({ directory: directory.path, need: ["nats", "postgres"], fsync: false });
  await ensureEnvironment({ natsUrl: servers.nats.url("admin"), databaseUrl: servers.postgres.url });
  folder = folderFor(servers, { postgres: true });
});
afterAll(async () => {
  await servers?.stop();
  directory.remove();
  folder?.remove();
});

describe("the catalog's definitions", () => {
  it("are not found while nothing was applied", async () => {
    expect(await cli("views", "list")).toMatchObject({ code: 3, stderr: expect.stringContaining("tributary apply") });
    expect((await cli("apply", fileURLToPath(new URL("features.ts", import.meta.url)))).code).toBe(0);
  });

  it.each([
    ["views", /^view .*\ncongestion +direct +v1 +airport +3 +1 m 0 s/],
    ["sources", /\ndepartures +event +3/],
    ["entities", /\nairport +code string/],
    ["feature-services", /\nboarding +origin string, destination string +6 +congestion/],
  ])("%s are listed", async (group, line) => {
    expect((await cli(group, "list")).stdout).toMatch(line);
    expect((await cli(group, "list", "--json")).json()).toMatchObject({ ok: true, data: { catalogVersion: 1 } });
  });

  it.each([
    ["views", "congestion", /lane +direct[\s\S]*entity +airport \(code string\)[\s\S]*score +float64 +≥ 0; ≤ 1/],
    ["sources", "departures", /event time +at[\s\S]*disorder +4 h 0 m[\s\S]*delay +float64/],
    ["entities", "airport", /keys +code string\n +views +congestion/],
    ["feature-services", "boarding", /origin_score +float64 +congestion\.score +direct +on code=origin/],
  ])("%s are shown: %s", async (group, name, text) => {
    expect((await cli(group, "show", name)).stdout).toMatch(text);
    const { json } = await cli(group, "show", name, "--json");
    expect(json()).toMatchObject({ ok: true, data: { definition: { name } } });
  });

  it("of an unknown name are not found, with the names near it", async () => {
    const { code, json } = await cli("views", "show", "congeston", "--json");
    expect(code).toBe(3);
    const message = 'no view "congeston" in the catalog; did you mean "congestion"?';
    expect(json()).toMatchObject({ ok: false, error: { code: "UNKNOWN_VIEW", message } });
    expect((await cli("entities", "show", "constructor", "--json")).json()).toMatchObject({
      error: { code: "NOT_FOUND" },
    });
  });
});

describe("config print", () => {
  it("says where each setting comes from, and masks secrets", async () => {
    const environment = { NATS_URL: "nats://client:hush1@broker:4222" };
    const args = ["config", "print", "--database-url", "postgres://me:hush2@db:5432/x?sslpassword=hush3", "--json"];
    const { stdout, json } = await runCli(args, { directory: folder.path, environment });
    expect(stdout).not.toContain("hush");
    expect(json()).toMatchObject({
      data: {
        settings: [
          { name: "natsUrl", value: "nats://client:***@broker:4222", from: "NATS_URL" },
          { name: "adminNatsUrl", from: "NATS_URL" },
          { name: "databaseUrl", value: expect.stringMatching(/^postgres:\/\/me:\*\*\*@db/), from: "--database-url" },
        ],
      },
    });
    expect((await cli("config", "print")).stdout).toMatch(/adminNatsUrl +nats:\/\/admin:\*\*\*@.*environment\.json/);
    const elsewhere = temporaryDirectory("elsewhere");
    expect((await runCli(["config", "print"], { directory: elsewhere.path })).stdout).toMatch(/natsUrl +- +not set/);
    elsewhere.remove();
  });
});
