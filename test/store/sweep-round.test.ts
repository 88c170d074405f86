import { redisRecords } from "@tributary/online-store/adapters/redis-records";
import { redisSweep } from "@tributary/online-store/adapters/redis-sweep";
import { shapeOf } from "@tributary/online-store/core/shape";
import { recordKey } from "@tributary/online-store/core/store-keys";
import { applyWrites } from "@tributary/online-store/handlers/apply-writes";
import { type SweepOptions, sweepRound } from "@tributary/online-store/handlers/sweep-records";
import { createLogger } from "@tributary/shared/runtime/logger";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Mesh, startMesh } from "../support/mesh.ts";

// No store runs here: only the rounds of this process sweep this Redis.
let mesh: Mesh;
let redis: Redis;
beforeAll(async () => {
  mesh = await startMesh({ need: ["redis"], services: [] });
  redis = new Redis(mesh.servers.redis.url.split(",")[0] ?? "");
});
afterAll(async () => {
  redis?.disconnect();
  await mesh?.stop();
});

describe("a round", () => {
  it("that removes a record under a writer makes the writer look again, also when there is a new one (V6)", async () => {
    const key = recordKey(3, "harbour", "one");
    const records = redisRecords(redis);
    await applyWrites(records, [write(key, "gone", 1)]);
    for (const isRemade of [false, true]) {
      const [previous = null] = await records.read([key]);
      await sweepRound(roundOf(() => false));
      expect(await redis.exists(key)).toBe(0);
      if (isRemade) await applyWrites(records, [write(key, "new", 1)]);
      const late = { key, previous, bytes: previous as Buffer, shapes: [] };
      expect(await records.replace([late]), `remade: ${isRemade}`).toEqual([key]);
      await applyWrites(records, [write(key, "gone", 1)]);
    }
  });

  it("goes on where the one before it stopped", async () => {
    const stopped = new AbortController();
    const counters = { rounds: 0, records: 0, tombstones: 0, sections: 0, removed: 0 };
    const many = Array.from({ length: 2_000 }, (_, i) => write(recordKey(i % 32, "harbour", `k${i}`), "congestion", 1));
    await applyWrites(redisRecords(redis), many);
    const options = { ...roundOf(() => true), counters };
    stopped.abort();
    await sweepRound(options, stopped.signal);
    expect(counters).toMatchObject({ rounds: 0 });
    const first = counters.records;
    expect(await options.store.position()).not.toBe("0");
    await sweepRound(options);
    expect(counters.rounds).toBe(1);
    expect(first).toBeLessThan(2_000);
    expect(counters.records).toBeGreaterThanOrEqual(2_000);
  });
});

function write(key: string, view: string, viewVersion: number) {
  const version = { eventTime: 1, incarnation: 0, sequence: 0, minor: 0 };
  return { key, shape: shapeOf(view, viewVersion, ["f"]), cells: [{ feature: "f", version, value: 1 }] };
}

/** A round of this process, with a place of its own to go on from. */
function roundOf(isNamed: (section: string) => boolean): SweepOptions {
  const store = redisSweep(redis);
  let position = "0";
  return {
    records: redisRecords(redis),
    store: {
      ...store,
      position: async () => position,
      savePosition: async (cursor) => {
        position = cursor;
      },
      scan: async (cursor, count) => {
        const page = await store.scan(cursor, count);
        return { ...page, keys: page.keys.filter((key) => key.includes(":harbour:")) };
      },
    },
    sections: { has: isNamed, refresh: async () => undefined },
    lease: { take: async () => true, renew: async () => true, release: async () => undefined },
    oldestMs: async () => Number.POSITIVE_INFINITY,
    incomplete: async () => new Set(),
    counters: { rounds: 0, records: 0, tombstones: 0, sections: 0, removed: 0 },
    logger: createLogger({ name: "test", level: "silent" }),
    everyMs: 1,
    recordsPerSecond: 1_000_000,
    tombstoneAgeMs: 0,
  };
}
