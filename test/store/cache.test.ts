import { type Servers, startServers } from "@tributary/local/servers";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { type StallingProxy, startStallingProxy } from "../support/stalling-proxy.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { until } from "../support/until.ts";
import { type CacheOptions, killClients, type OpenCache, openCache } from "./cache-rig.ts";

const changes = "__redis__:invalidate";
const directory = temporaryDirectory("cache");
let servers: Servers;
let proxy: StallingProxy;
/** Writes past the proxy. */
let redis: Redis;
beforeAll(async () => {
  servers = await startServers({ directory: directory.path, need: ["redis"] });
  redis = new Redis(servers.redis.url);
  redis.on("error", () => undefined); // one test restarts it
});
afterAll(async () => {
  redis?.disconnect();
  await servers?.stop();
  directory.remove();
});
beforeEach(async () => {
  proxy = await startStallingProxy(servers.redis.port);
});
afterEach(async () => {
  await redis.flushall();
  await proxy.close();
});

async function open(options: Partial<CacheOptions> = {}): Promise<OpenCache> {
  const url = servers.redis.url.replace(`:${servers.redis.port}`, `:${proxy.port}`);
  const opened = await openCache({ url, ...options });
  onTestFinished(() => opened.stop());
  return opened;
}

const passwordOf = ({ redis: { url } }: Servers) => new URL(url).password;

/** How many keys Redis tracks. */
const trackedKeys = async () => Number(/tracking_total_keys:(\d+)/.exec(await redis.info("stats"))?.[1]);

describe("a cache of records", () => {
  it("asks once for what does not change, absent records too, and only for what it lacks", async () => {
    await redis.mset("a", "a1", "b", "b1");
    const { read, cache } = await open();
    expect(await read(["a", "absent"])).toEqual(["a1", null]);
    expect(await read(["b", "a", "absent"])).toEqual(["b1", "a1", null]);
    expect(await read(["a", "b", "absent"])).toEqual(["a1", "b1", null]);
    expect(cache.counters).toMatchObject({ hits: 5, misses: 3 });
    expect(cache.records).toBe(3);
  });

  it("hears of every kind of change, by whomever: written, removed, created, written by a script", async () => {
    await redis.mset("a", "a1", "b", "b1", "c", "c1");
    const { read } = await open();
    expect(await read(["a", "b", "c", "d"])).toEqual(["a1", "b1", "c1", null]);
    await redis.set("a", "a2");
    await redis.del("b");
    await redis.eval("redis.call('SET', KEYS[1], 'c2')", 1, "c");
    await redis.set("d", "d1");
    await until(async () => JSON.stringify(await read(["a", "b", "c", "d"])) === '["a2",null,"c2","d1"]');
  });

  it("does not keep what changed between request and reply", async () => {
    await redis.set("a", "a1");
    const { read, cache } = await open();
    proxy.hold("mget");
    const reading = read(["a"]);
    await until(async () => (await trackedKeys()) === 1, { what: "redis has read it" });
    await redis.set("a", "a2");
    await until(() => cache.counters.invalidations === 1, { what: "the change has overtaken the reply" });
    proxy.release();
    expect(await reading).toEqual(["a1"]);
    expect(cache.counters.droppedFills).toBe(1);
    expect(await read(["a"])).toEqual(["a2"]);
  });

  it("is passed by where the latest is needed, and from then on gives nothing older", async () => {
    await redis.set("a", "a1");
    const { read, cache } = await open();
    await read(["a"]);
    proxy.hold(changes);
    await redis.set("a", "a2");
    expect(await read(["a"])).toEqual(["a1"]);
    expect(await read(["a"], "latest")).toEqual(["a2"]);
    expect(await read(["a"])).toEqual(["a2"]);
    expect(cache.counters.hits).toBe(2);
  });

  it("stays within its bytes, whatever is read", async () => {
    const keys = Array.from({ length: 3_000 }, (_, i) => `k${i}`);
    await redis.mset(keys.flatMap((key) => [key, key.repeat(100)]));
    const { read, cache } = await open({ bytesMax: 300_000 });
    for (let at = 0; at < keys.length; at += 100) {
      const some = keys.slice(at, at + 100);
      expect(await read(some)).toEqual(some.map((key) => key.repeat(100)));
      expect(cache.bytes).toBeLessThanOrEqual(300_000);
    }
    expect(cache.bytes).toBeGreaterThan(200_000);
    expect(cache.counters.evictions).toBe(3_000 - cache.records);
  });

  it("goes by a table of tracked keys that is too small for what it holds", async () => {
    const keys = Array.from({ length: 200 }, (_, i) => `k${i}`);
    await redis.config("SET", "tracking-table-max-keys", "20");
    onTestFinished(async () => void (await redis.config("SET", "tracking-table-max-keys", "1000000")));
    await redis.mset(keys.flatMap((key) => [key, "1"]));
    const { read, cache } = await open();
    await read(keys);
    await until(() => cache.records <= 20, { what: "redis has told which keys it tracks no more" });
    await redis.mset(keys.flatMap((key) => [key, "2"]));
    await until(async () => (await read(keys)).every((text) => text === "2"));
  });
});

describe("a cache whose connections fail", () => {
  it.each([
    ["tells of changes", "cache-changes"],
    ["reads go over", "cache"],
  ])("forgets everything when the connection that %s is lost, and is used again", async (_what, name) => {
    await redis.set("a", "a1");
    const { read, cache, tracking, on } = await open();
    await read(["a"]);
    const { flushes } = cache.counters;
    await killClients(redis, name);
    await redis.set("a", "a2"); // of which nobody tells
    await until(() => cache.counters.flushes > flushes || !tracking.isOn);
    await on();
    expect(await read(["a"])).toEqual(["a2"]);
    await read(["a"]);
    expect(cache.counters.hits).toBe(1);
    await redis.set("a", "a3");
    await until(async () => (await read(["a"]))[0] === "a3");
  });

  it("is not used while the connection that tells of changes hangs", async () => {
    await redis.set("a", "a1");
    const { read, on } = await open({ lagMsMax: 200 });
    await on();
    await read(["a"]);
    proxy.hold(changes);
    await redis.set("a", "a2");
    await until(async () => (await read(["a"]))[0] === "a2", { what: "the read goes to redis" });
    proxy.release();
    await on();
    expect(await read(["a"])).toEqual(["a2"]);
  });

  it("is not used while nobody knows whether the connection that reads go over is still there", async () => {
    await redis.set("a", "a1");
    // Longer than a machine hangs, so that it is not the other connection's answer that is late.
    const { read, tracking, on } = await open({ lagMsMax: 3_000, commandTimeoutMs: 300 });
    await on();
    await read(["a"]);
    proxy.sever("mget");
    await redis.set("a", "a2"); // and Redis tracks nothing for a connection that it takes for closed
    await until(() => !tracking.isCurrent(), { timeoutMs: 10_000 });
    await expect(read(["a"])).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });

  it("keeps nothing that was read while nobody would have told of its change", async () => {
    await redis.set("a", "a1");
    const { read, cache, tracking, on } = await open();
    proxy.hold(changes);
    await killClients(redis, "cache");
    await until(() => !tracking.isOn);
    expect(await until(() => read(["a"]))).toEqual(["a1"]);
    expect(cache.records).toBe(0);
    proxy.release();
    await on();
    expect(await read(["a"])).toEqual(["a1"]);
    expect(cache.records).toBe(1);
  });

  it("is not used while its connections end at different servers, though the one has somebody of the other's id", async () => {
    const elsewhere = temporaryDirectory("cache-elsewhere");
    const others = await startServers({ directory: elsewhere.path, need: ["redis"] });
    const crowd = [new Redis(others.redis.url)];
    onTestFinished(async () => {
      for (const one of crowd) one.disconnect();
      await others.stop();
      elsewhere.remove();
    });
    await crowd[0]?.config("SET", "requirepass", passwordOf(servers));
    const ids = async () => Number(/total_connections_received:(\d+)/.exec(await redis.info("stats"))?.[1]) + 20;
    const url = `redis://default:${passwordOf(servers)}@127.0.0.1:${others.redis.port}`;
    for (let i = await ids(); i > 0; i--) crowd.push(new Redis(url));
    await Promise.all(crowd.map((one) => one.ping()));
    proxy.retarget(others.redis.port);
    const { read, tracking, on, cache } = await open({ beforeTracking: () => proxy.retarget(servers.redis.port) });
    expect(tracking.isOn).toBe(false);
    expect(await read(["a"])).toEqual([null]);
    expect(cache.records).toBe(0);
    proxy.retarget(others.redis.port);
    await on();
  });

  it("forgets everything when Redis is emptied", async () => {
    await redis.mset("a", "a1", "b", "b1");
    const { read, cache } = await open();
    await read(["a", "b"]);
    await redis.flushall();
    await until(() => cache.records === 0);
    expect(await read(["a", "b"])).toEqual([null, null]);
  });

  it("takes nothing over from a Redis that was restarted", async () => {
    await redis.set("a", "a1");
    const { read, on, cache } = await open();
    await read(["a"]);
    await servers.redis.kill();
    await until(() => cache.records === 0);
    await servers.redis.start();
    await until(() => redis.set("a", "a2"));
    await on();
    expect(await read(["a"])).toEqual(["a2"]);
  });

  it("takes whatever else is published on the channel for a change of everything", async () => {
    const { read, cache } = await open();
    await read(["a"]);
    await redis.publish(changes, "a");
    await until(() => cache.records === 0);
  });
});

describe("a cache and the epoch", () => {
  it("gives nothing of one epoch in another, and is not used while the epoch is not known", async () => {
    let epoch: string | undefined = "one";
    const opened = await open({
      epoch: () => {
        if (epoch === undefined) throw new Error("not known");
        return epoch;
      },
    });
    const { read, cache } = opened;
    await read(["a"]);
    await read(["a"]);
    expect(cache.counters.hits).toBe(1);
    epoch = "two";
    await read(["a"]);
    expect(cache.counters.hits).toBe(1);
    epoch = undefined;
    await read(["a"]);
    expect(cache.counters).toMatchObject({ hits: 1, misses: 2 });
  });
});

describe("a cache at its start", () => {
  it("refuses a Redis that does not let its user track keys, and names what it takes", async () => {
    await redis.call("ACL", "SETUSER", "plain", "on", ">secret", "~*", "+@all", "-client|tracking", "resetchannels");
    onTestFinished(async () => void (await redis.call("ACL", "DELUSER", "plain")));
    const url = `redis://plain:secret@127.0.0.1:${servers.redis.port}`;
    await expect(openCache({ url })).rejects.toMatchObject({
      code: "BAD_CONFIG",
      message: expect.stringContaining(`the channel ${changes}`),
    });
  });
});
