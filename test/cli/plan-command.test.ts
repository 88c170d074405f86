import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureEnvironment } from "@tributary/cli/admin/ensure";
import { type Servers, startServers } from "@tributary/local/servers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { runCli } from "./run-cli.ts";

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const flights = file("../../examples/flights/definitions.ts");
const features = file("features.ts");
const directory = temporaryDirectory("plan");
let servers: Servers;
const cli = (...args: string[]) => runCli(args, { directory: directory.path });

/** What an application may do is enough to plan: without PostgreSQL, and as a user who cannot apply. */
const asClient = (...args: string[]) =>
  runCli(args, { directory: "/", environment: { NATS_URL: servers.nats.url("client") } });

beforeAll(async () => {
  servers = await startServers({ directory: directory.path, need: ["nats", "postgres"], fsync: false });
  const adminNatsUrl = servers.nats.url("admin");
  await ensureEnvironment({ natsUrl: adminNatsUrl, databaseUrl: servers.postgres.url });
  const environment = { natsUrl: servers.nats.url("client"), adminNatsUrl, databaseUrl: servers.postgres.url };
  mkdirSync(join(directory.path, ".tributary"), { recursive: true });
  writeFileSync(join(directory.path, ".tributary", "environment.json"), JSON.stringify(environment));
});
afterAll(async () => {
  await servers?.stop();
  directory.remove();
});

interface PlannedChange {
  readonly kind: string;
  readonly what: string;
  readonly name: string;
  readonly lane: string | null;
  readonly reason: string;
}

interface PlanData {
  readonly data: {
    readonly current: { readonly version: number } | null;
    readonly changes: readonly PlannedChange[];
    readonly lanes: readonly { readonly view: string; readonly lane: string; readonly meets: boolean }[];
  };
}

describe("plan and apply", () => {
  it("plans the flights example as additions before anything is applied, every lane meeting its freshness", async () => {
    const { code, stderr, json } = await asClient("plan", flights, "--json");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(json()).toMatchObject({
      ok: true,
      data: { current: null, changed: true, applicable: true, needsAllowDestroy: false, problems: [] },
    });
    const { changes, lanes } = (json() as PlanData).data;
    expect(new Set(changes.map(({ kind }) => kind))).toEqual(new Set(["addition"]));
    expect(changes.filter(({ what }) => what !== "feature").map(({ what, name }) => `${what} ${name}`)).toEqual(
      expect.arrayContaining(["entity route", "source departures", "view airport_now", "featureService boarding"]),
    );
    expect(lanes.map(({ view, lane, meets }) => `${view} ${lane} ${meets}`)).toEqual(
      expect.arrayContaining(["route_profile batch true", "airport_now stream true", "congestion direct true"]),
    );
  });

  it("prints the plan before it applies it, and has nothing to apply afterwards", async () => {
    const applied = await cli("apply", flights);
    expect(applied).toMatchObject({ code: 0, stdout: expect.stringContaining("applied as catalog version 1") });
    expect(applied.stderr).toMatch(/^\+ {2}view +airport_now +15 features$/m);
    expect(applied.stderr).not.toContain("\u001b");
    const again = await cli("plan", flights);
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining("unchanged: there is nothing to apply") });
  });

  it("refuses to remove what may be read, until it is allowed to", async () => {
    const planned = await asClient("plan", features, "--json");
    expect(planned.code).toBe(4);
    const changes = expect.arrayContaining([
      expect.objectContaining({
        kind: "removal",
        what: "view",
        name: "route_profile",
        needs: "allowDestroy",
        breaks: ["boarding"],
      }),
    ]);
    expect(planned.json()).toMatchObject({ ok: true, data: { current: { version: 1 }, applicable: false, changes } });
    for (const { what, name, lane, reason } of (planned.json() as PlanData).data.changes) {
      expect(reason.length, name).toBeGreaterThan(10);
      expect(lane !== null, name).toBe(what === "view" || what === "feature");
    }
    const smaller = definitions("smaller.ts", "export { windows } from FLIGHTS;");
    expect(await cli("plan", smaller)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("can be applied with --allow-destroy"),
    });
    const refused = await cli("apply", smaller, "--json");
    expect(refused.code).toBe(4);
    const message = expect.stringMatching(/view "congestion" would be removed: .*--allow-destroy.*boarding, tower/);
    expect(refused.json()).toMatchObject({ ok: false, error: { code: "INVALID_DEFINITION", message } });
    expect((await cli("plan", flights)).stdout).toContain("unchanged");
    const allowed = await cli("apply", smaller, "--allow-destroy", "--json");
    expect(allowed.json()).toMatchObject({ ok: true, data: { version: 2, changed: true, plan: { changes } } });
  });

  it("refuses a freshness that a lane cannot meet, with the arithmetic, in plan and in apply", async () => {
    const hasty = file("hasty-features.ts");
    const planned = await asClient("plan", hasty);
    expect(planned.code).toBe(4);
    expect(planned.stdout).toMatch(/✗ {2}hasty +stream .*= 1s 400ms, more than freshness 1s; declare freshness/);
    const applied = await cli("apply", hasty, "--allow-destroy");
    expect(applied).toMatchObject({ code: 4, stderr: expect.stringContaining('view "hasty" cannot meet') });
  });

  it("has an exit code of its own for a server that is not there", async () => {
    const environment = { NATS_URL: "nats://client:x@127.0.0.1:1" };
    expect((await runCli(["plan", flights], { directory: "/", environment })).code).toBe(5);
  });
});

/** A definitions module beside the servers' files. */
function definitions(name: string, text: string): string {
  const path = join(directory.path, name);
  writeFileSync(path, text.replaceAll("FLIGHTS", JSON.stringify(flights)));
  return path;
}
