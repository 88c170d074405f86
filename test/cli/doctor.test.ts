import { fileURLToPath } from "node:url";
import { openConnection } from "@tributary/shared/messaging/connection";
import { publishDeadLetter } from "@tributary/shared/messaging/dead-letter";
import { createPublisher } from "@tributary/shared/messaging/publisher";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Mesh, startMesh } from "../support/mesh.ts";
import { until } from "../support/until.ts";
import { folderFor } from "./environment-file.ts";
import { runCli } from "./run-cli.ts";

let mesh: Mesh;
let folder: ReturnType<typeof folderFor>;
let catalogBefore: Check | undefined;

beforeAll(async () => {
  mesh = await startMesh();
  folder = folderFor(mesh.servers, { postgres: true });
  const { failed } = await examine();
  catalogBefore = failed.find(({ name }) => name === "catalog");
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
  it("says that no catalog has been applied", () => {
    expect(catalogBefore).toMatchObject({ state: "fail", what: "none has been applied" });
  });

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

  it("tells what Redis forgets: records it may evict, and all of them in a restart", async () => {
    const redis = new Redis(mesh.servers.redis.url);
    await redis.config("SET", "maxmemory-policy", "allkeys-lru");
    await redis.config("SET", "appendonly", "no");
    const { code, checks } = await examine();
    expect(code).toBe(1);
    const of = (name: string) => checks.find((check) => check.name === name);
    expect(of("redis eviction")).toMatchObject({ state: "fail", what: expect.stringContaining("allkeys-lru") });
    expect(of("redis persistence")).toMatchObject({ state: "warn", hint: "set appendonly yes" });
    await redis.config("SET", "maxmemory-policy", "noeviction");
    await redis.config("SET", "appendonly", "yes");
    redis.disconnect();
  });

  it("names a process that is frozen, apart from one that is not there", async () => {
    mesh.services.pause("direct-gateway");
    const { failed } = await examine();
    mesh.services.resume("direct-gateway");
    expect(failed).toMatchObject([{ name: "direct-gateway", what: "is connected and does not answer" }]);
  });

  it("names the grants that a user lacks", async () => {
    const { failed } = await examine({ NATS_URL: mesh.servers.nats.url("client") });
    const lacking = failed.find(({ name }) => name === "admin permissions");
    expect(lacking?.what).toContain('user "client" may not publish $JS.API.STREAM.CREATE.*');
    expect(lacking?.what).toContain("subscribe trib.v1.>");
    expect(failed.map(({ name }) => name)).not.toContain("client permissions");
  });

  it("warns of dead letters that nobody replayed", async () => {
    const admin = await openConnection({ url: mesh.servers.nats.url("admin"), name: "test" });
    await publishDeadLetter(admin, {
      lane: "direct",
      process: "online-store",
      stream: "TRIB_ROWS_DIRECT",
      sequence: 1,
      subject: "trib.v1.rows.direct.p00.congestion",
      code: "POISON",
      cause: "a test",
      deliveries: 5,
      payload: new Uint8Array(),
    });
    await admin.close();
    const { checks } = await examine();
    expect(checks.find(({ name }) => name === "dead letters")).toMatchObject({ state: "warn", what: "1 not replayed" });
  });

  it("warns of a stream that is nearly full", async () => {
    const admin = await openConnection({ url: mesh.servers.nats.url("admin"), name: "test" });
    const publisher = createPublisher(admin, { stream: "TRIB_CTL" });
    const data = new Uint8Array(1_000_000);
    await Promise.all(Array.from({ length: 48 }, () => publisher.publish({ subject: "trib.v1.ctl.test", data })));
    await publisher.close();
    await admin.close();
    const { checks } = await examine();
    const full = checks.find(({ name }) => name === "stream fill");
    expect(full).toMatchObject({ state: "warn", what: expect.stringMatching(/^TRIB_CTL is 7\d % full/) });
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
