import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Mesh, startMesh } from "../support/mesh.ts";
import { until } from "../support/until.ts";
import { folderFor } from "./environment-file.ts";
import { runCli } from "./run-cli.ts";

let mesh: Mesh;
let folder: ReturnType<typeof folderFor>;

beforeAll(async () => {
  mesh = await startMesh();
  folder = folderFor(mesh.servers, { postgres: true });
  await runCli(["apply", fileURLToPath(new URL("features.ts", import.meta.url))], { directory: folder.path });
});
afterAll(async () => {
  await mesh?.stop();
  folder?.remove();
});

interface Check {
  readonly name: string;
  readonly state: string;
  readonly what: string;
  readonly hint?: string;
}

async function examine(environment: Readonly<Record<string, string>> = {}) {
  const { code, json } = await runCli(["doctor", "--json"], { directory: folder.path, environment });
  const { checks } = (json() as { data: { checks: Check[] } }).data;
  return { code, failed: checks.filter(({ state }) => state === "fail"), checks };
}

describe("doctor", () => {
  it("finds nothing to fail in a whole system", async () => {
    const { checks } = await until(async () => {
      const report = await examine();
      return report.code === 0 && report;
    });
    const names = checks.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(["node", "nats", "nats version", "topology", "stream fill", "clock skew", "catalog"]),
    );
    expect(names).toEqual(
      expect.arrayContaining(["dead letters", "online-store", "redis", "postgresql", "migrations"]),
    );
    const text = await runCli(["doctor"], { directory: folder.path });
    expect(text).toMatchObject({ code: 0, stdout: expect.stringMatching(/^ok +node +v\d+/) });
  });

  it("names Redis when it is away, through the store", async () => {
    await mesh.servers.redis.kill();
    const { code, failed } = await until(async () => {
      const report = await examine();
      return report.failed.some(({ name }) => name === "redis") && report;
    });
    expect(code).toBe(1);
    expect(failed).toMatchObject([{ name: "redis", hint: expect.stringContaining("Redis") }]);
    await mesh.servers.redis.start();
  });

  it("names PostgreSQL when it is away, and migrations that are missing", async () => {
    const url = new URL(mesh.servers.postgres.url);
    url.pathname = "/postgres";
    const empty = await examine({ DATABASE_URL: url.href });
    expect(empty.failed.find(({ name }) => name === "migrations")).toMatchObject({
      what: expect.stringContaining("0001_"),
      hint: "run `tributary admin ensure`",
    });
    const away = await examine({ DATABASE_URL: "postgres://tributary:x@127.0.0.1:1/tributary" });
    expect(away).toMatchObject({
      code: 1,
      failed: expect.arrayContaining([expect.objectContaining({ name: "postgresql" })]),
    });
  });

  it("names a stream that is missing, and a service that is down", async () => {
    const { openConnection } = await import("@tributary/shared/messaging/connection");
    const { callApi } = await import("@tributary/shared/messaging/jetstream-api");
    const admin = await openConnection({ url: mesh.servers.nats.url("admin"), name: "test" });
    await callApi(admin, "STREAM.DELETE.TRIB_DLQ");
    await admin.close();
    await mesh.services.stop();
    const { code, failed } = await examine();
    expect(code).toBe(1);
    expect(failed.map(({ name }) => name)).toEqual(expect.arrayContaining(["topology", "direct-gateway"]));
    expect(failed.find(({ name }) => name === "topology")?.what).toContain("stream TRIB_DLQ");
  });

  it("says in one line that the broker does not answer", async () => {
    const { code, failed } = await examine({ NATS_URL: "nats://admin:x@127.0.0.1:1" });
    expect(code).toBe(1);
    expect(failed.filter(({ name }) => name === "nats")).toHaveLength(1);
    expect(failed.some(({ name }) => name === "topology")).toBe(false);
  });
});
