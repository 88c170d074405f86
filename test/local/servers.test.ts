import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { listProcesses } from "@tributary/local/process-table";
import { openServers, type Servers, startServers } from "@tributary/local/servers";
import { Redis } from "ioredis";
import { connect } from "nats";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const directory = temporaryDirectory("servers");
let servers: Servers;

beforeAll(async () => {
  servers = await startServers({ directory: directory.path, fsync: false });
});

afterAll(async () => {
  await servers?.stop();
  directory.remove();
});

describe("private servers", () => {
  it("tell their versions", () => {
    expect(servers.versions).toEqual({
      nats: expect.stringMatching(/^\d+\.\d+/),
      redis: expect.stringMatching(/^\d+\.\d+/),
      postgres: expect.stringMatching(/^\d+\.\d+/),
    });
  });

  it("keep what they acknowledged when they are killed, on the same port", async () => {
    const ports = [servers.nats.port, servers.redis.port, servers.postgres.port];
    await withNats(servers.nats.url("admin"), async (nats) => {
      await (await nats.jetstreamManager()).streams.add({ name: "KEPT", subjects: ["kept"] });
      await nats.jetstream().publish("kept", "1");
    });
    await withDatabase(servers.postgres.url, (client) => client.query("create table kept as select 1 as one"));
    for (const server of [servers.nats, servers.postgres]) {
      await server.kill();
      expect(server.pid).toBeUndefined();
      await server.start();
    }
    expect([servers.nats.port, servers.redis.port, servers.postgres.port]).toEqual(ports);
    await withNats(servers.nats.url("admin"), async (nats) => {
      expect((await (await nats.jetstreamManager()).streams.info("KEPT")).state.messages).toBe(1);
    });
    const { rows } = await withDatabase(servers.postgres.url, (client) => client.query("select one from kept"));
    expect(rows).toEqual([{ one: 1 }]);
  });

  it("keep Redis's records over a stop, and never evict", async () => {
    await withRedis(servers.redis.url, (redis) => redis.set("kept", "1"));
    await servers.redis.stop();
    await servers.redis.start();
    await withRedis(servers.redis.url, async (redis) => {
      expect(await redis.get("kept")).toBe("1");
      expect(await redis.config("GET", "maxmemory-policy")).toEqual(["maxmemory-policy", "noeviction"]);
      expect(await redis.config("GET", "appendonly")).toEqual(["appendonly", "yes"]);
    });
  });

  it("do not answer while paused, and go on afterwards", async () => {
    servers.redis.pause();
    const redis = new Redis(servers.redis.url, { commandTimeout: 200, maxRetriesPerRequest: 0 });
    redis.on("error", () => undefined);
    await expect(redis.ping()).rejects.toThrow();
    servers.redis.resume();
    redis.disconnect();
    expect(await withRedis(servers.redis.url, (again) => again.ping())).toBe("PONG");
  });

  it("refuse a wrong password", async () => {
    const wrong = (url: string) => {
      const changed = new URL(url);
      changed.password = "wrong";
      return changed.toString();
    };
    await expect(withNats(wrong(servers.nats.url("admin")), async () => undefined)).rejects.toThrow(/Authorization/i);
    await expect(withDatabase(wrong(servers.postgres.url), async () => undefined)).rejects.toThrow(/password/);
    await expect(withRedis(wrong(servers.redis.url), (redis) => redis.ping())).rejects.toThrow();
  });

  it("give each broker user its own permissions", async () => {
    await withNats(servers.nats.url("direct-gateway"), async (nats) => {
      await expect(nats.request("trib.v1.rows.batch.p00.x", "", { timeout: 2_000 })).rejects.toThrow(/Permissions/i);
    });
  });

  it("listen on loopback only, and show no password to whoever lists processes", async () => {
    const passwords = Object.values(
      JSON.parse(readFileSync(join(directory.path, "credentials.json"), "utf8")) as Record<string, string>,
    );
    expect(passwords.length).toBeGreaterThanOrEqual(8);
    for (const pid of [servers.nats.pid, servers.redis.pid, servers.postgres.pid]) {
      const shown = readFileSync(`/proc/${pid}/cmdline`, "utf8") + readFileSync(`/proc/${pid}/environ`, "utf8");
      expect(passwords.filter((password) => shown.includes(password))).toEqual([]);
      expect(foreignListeners(Number(pid))).toEqual([]);
    }
  });

  it("keep their secrets in files that only the owner reads", () => {
    for (const file of ["credentials.json", "nats/nats-server.conf", "redis/redis.conf"]) {
      expect(statSync(join(directory.path, file)).mode & 0o077).toBe(0);
    }
    expect(statSync(join(directory.path, "postgres")).mode & 0o077).toBe(0);
  });

  it("stand in the process table while they live", () => {
    expect(listProcesses(directory.path).map(({ name, pid }) => [name, pid])).toEqual(
      expect.arrayContaining([
        ["nats-server", servers.nats.pid],
        ["redis-server", servers.redis.pid],
        ["postgres", servers.postgres.pid],
      ]),
    );
  });

  it("are not started twice in one directory", async () => {
    await expect(startServers({ directory: directory.path, need: ["redis"] })).rejects.toThrow(/in use by process/);
  });

  it("stand beside another set in another directory", async () => {
    const other = temporaryDirectory("servers");
    const sets = await Promise.all(
      ["a", "b"].map((name) => startServers({ directory: join(other.path, name), need: ["nats", "redis"] })),
    );
    const ports = [servers, ...sets].flatMap((set) => [set.nats.port, set.redis.port]);
    expect(new Set(ports).size).toBe(6);
    expect(() => sets[0]?.postgres.port).toThrow(/not asked for/);
    await Promise.all(sets.map((set) => set.stop()));
    expect(listProcesses(join(other.path, "a"))).toEqual([]);
    other.remove();
  });

  it("leave alone what a variable names, and start the rest", async () => {
    const other = temporaryDirectory("servers");
    const external = { NATS_URL: servers.nats.url("admin"), DATABASE_URL: servers.postgres.url };
    const mixed = await openServers({ directory: other.path }, external);
    expect(mixed.nats.url("online-store")).toBe(external.NATS_URL);
    expect(mixed.postgres.url).toBe(external.DATABASE_URL);
    expect(await withRedis(mixed.redis.url, (redis) => redis.ping())).toBe("PONG");
    expect(listProcesses(other.path).map(({ name }) => name)).toEqual(["redis-server"]);
    expect(() => mixed.nats.kill()).toThrow(/external/);
    await mixed.stop();
    expect(servers.nats.pid).toBeDefined();
    other.remove();
  });

  it("say what a server said that died at its start", async () => {
    const broken = temporaryDirectory("servers");
    const first = await startServers({ directory: broken.path, need: ["redis"] });
    await first.stop();
    const { writeFileSync, readdirSync, chmodSync } = await import("node:fs");
    const folder = join(broken.path, "redis", "appendonlydir");
    for (const file of readdirSync(folder)) {
      chmodSync(join(folder, file), 0o600);
      writeFileSync(join(folder, file), "not an append-only file");
    }
    await expect(startServers({ directory: broken.path, need: ["redis"] })).rejects.toThrow(
      /redis-server did not start[\s\S]*(AOF|append only)/i,
    );
    expect(listProcesses(broken.path)).toEqual([]);
    broken.remove();
  });
});

async function withNats<T>(url: string, work: (nats: Awaited<ReturnType<typeof connect>>) => Promise<T>): Promise<T> {
  const { username, password, host } = new URL(url);
  const nats = await connect({ servers: host, user: username, pass: password, inboxPrefix: `_INBOX.${username}` });
  return work(nats).finally(() => nats.close());
}

async function withDatabase<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(url);
  client.on("error", () => undefined);
  await client.connect();
  return work(client).finally(() => client.end());
}

async function withRedis<T>(url: string, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, { maxRetriesPerRequest: 0, retryStrategy: () => null });
  redis.on("error", () => undefined);
  return work(redis).finally(() => redis.disconnect());
}

/** Listening sockets of the process that are not on 127.0.0.1, from proc(5). */
function foreignListeners(pid: number): readonly string[] {
  const listening = readFileSync(`/proc/${pid}/net/tcp`, "utf8").split("\n").slice(1);
  const own = listening.filter((line) => / 0A /.test(line)).map((line) => line.trim().split(/\s+/)[1] ?? "");
  const ports = [servers.nats.port, servers.redis.port, servers.postgres.port].map((port) =>
    port.toString(16).toUpperCase().padStart(4, "0"),
  );
  return own.filter((address) => ports.some((port) => address.endsWith(`:${port}`)) && !address.startsWith("0100007F"));
}
