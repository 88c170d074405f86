import { join } from "node:path";
import { ensureEnvironment } from "@tributary/cli/admin/ensure";
import { type Servers, startServers } from "@tributary/local/servers";
import { type ServiceName, serviceNames, serviceSpec } from "@tributary/local/service-specs";
import { startServices } from "@tributary/local/supervisor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { compile, install, installedPackages, pack } from "./lone-service.ts";

const directory = temporaryDirectory("deploy");
const tarballs = join(directory.path, "tarballs");
let servers: Servers;
let shared: string;

/** What only some services may have: drivers, servers, and the tools of development. */
const drivers: Record<ServiceName, readonly string[]> = {
  "batch-runner": ["@duckdb/node-api", "pg"],
  "stream-processor": ["pg"],
  "direct-gateway": ["fastify"],
  "online-store": ["fastify", "ioredis"],
};
const watched = ["@duckdb/node-api", "pg", "ioredis", "fastify", "tsx", "typescript", "vitest", "@tributary/local"];

beforeAll(async () => {
  [servers] = await Promise.all([
    startServers({ directory: join(directory.path, "mesh"), fsync: false }),
    compile(serviceNames.map((name) => `services/${name}`)),
  ]);
  await ensureEnvironment({ natsUrl: servers.nats.url("admin"), databaseUrl: servers.postgres.url });
  shared = await pack("packages/shared", tarballs);
});

afterAll(async () => {
  await servers?.stop();
  directory.remove();
});

describe.each(serviceNames)("%s, compiled and installed alone", (name) => {
  const folder = join(directory.path, name);

  it("brings its own drivers and nobody else's, and no tool of development", async () => {
    const tarball = await pack(`services/${name}`, tarballs);
    await install(folder, { "packages/shared": shared, [`services/${name}`]: tarball });
    const installed = new Set(installedPackages(folder));
    expect(watched.filter((one) => installed.has(one)).sort()).toEqual([...drivers[name]].sort());
    expect([...installed].filter((one) => one.startsWith("@tributary/")).sort()).toEqual(
      [`@tributary/${name}`, "@tributary/shared"].sort(),
    );
  });

  it("becomes ready, and stops when it is told to", async () => {
    const entry = join(folder, `node_modules/@tributary/${name}/dist/main.js`);
    const services = await startServices({ servers, names: [], extra: [{ ...serviceSpec(name, servers), entry }] });
    expect(services.restarts(name)).toBe(0);
    await services.stop();
  });
});
