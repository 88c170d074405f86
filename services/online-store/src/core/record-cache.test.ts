import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SimulatedTracking } from "../testing/simulated-tracking.ts";
import { bytesOf, RecordCache } from "./record-cache.ts";

const plenty = 1_000_000;
const record = (text: string) => Buffer.from(text);

/** As a read does it whose answer comes at once. */
function fill(cache: RecordCache, key: string, bytes: Buffer | null): void {
  cache.keep(cache.announce([key]), [bytes]);
}

describe("a cache of records", () => {
  it("in any order of writes, reads, replies, invalidations and losses gives nothing older than proven or given before", () => {
    const keys = 4;
    const key = fc.nat({ max: keys - 1 });
    const how = fc.record({ isLatest: fc.boolean(), isFirst: fc.boolean() });
    const step = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.tuple(fc.constant("read" as const), fc.uniqueArray(key, { minLength: 1 }), how),
      },
      { weight: 4, arbitrary: fc.tuple(fc.constant("write" as const), key) },
      { weight: 6, arbitrary: fc.tuple(fc.constant("execute" as const)) },
      { weight: 5, arbitrary: fc.tuple(fc.constant("receive" as const), fc.nat({ max: 1 })) },
      { weight: 5, arbitrary: fc.tuple(fc.constant("hear" as const)) },
      { weight: 2, arbitrary: fc.tuple(fc.constant("ping" as const)) },
      { weight: 1, arbitrary: fc.tuple(fc.constant("forget" as const), key) },
      { weight: 1, arbitrary: fc.tuple(fc.constant("empty" as const)) },
      { weight: 1, arbitrary: fc.tuple(fc.constant("lose" as const)) },
    );
    const counted = { hits: 0, droppedFills: 0, evictions: 0 };
    const bytesMax = fc.constantFrom(plenty, 3_000);
    fc.assert(
      fc.property(bytesMax, fc.array(step, { minLength: 20, maxLength: 120 }), (most, steps) => {
        const cache = new RecordCache(most);
        const simulated = new SimulatedTracking(cache, keys);
        for (const [what, of, how] of steps) {
          if (what !== "read") simulated.breathe();
          if (what === "read") simulated.read(of, how);
          else if (what === "write" || what === "forget") simulated[what](of);
          else if (what === "receive") simulated.receive(of);
          else simulated[what]();
          expect(cache.bytes).toBeLessThanOrEqual(most);
        }
        simulated.settle();
        for (const name of Object.keys(counted) as (keyof typeof counted)[]) counted[name] += cache.counters[name];
      }),
      { numRuns: 600 },
    );
    // What this is about has happened, often.
    expect(Math.min(...Object.values(counted))).toBeGreaterThan(100);
  });

  it("keeps what is asked for through a scan of many others, within its bytes", () => {
    const cache = new RecordCache(100 * bytesOf("hot-0", record("value")));
    const hot = Array.from({ length: 10 }, (_, i) => `hot-${i}`);
    for (const key of hot) fill(cache, key, record("value"));
    for (let i = 0; i < 5_000; i++) {
      fill(cache, `scan-${i}`, record("value"));
      if (i % 20 === 0) for (const key of hot) expect(cache.find(key), key).toEqual(record("value"));
      expect(cache.bytes).toBeLessThanOrEqual(cache.bytesMax);
    }
    expect(cache.counters.evictions).toBe(5_010 - cache.records);
    expect(cache.records).toBeGreaterThan(90);
  });

  it("counts what it holds, and holds nothing of what is too large, not even the record of before", () => {
    const cache = new RecordCache(2_000);
    fill(cache, "a", record("small"));
    fill(cache, "b", null);
    expect(cache.bytes).toBe(bytesOf("a", record("small")) + bytesOf("b", null));
    fill(cache, "a", Buffer.alloc(2_000));
    expect(cache.find("a")).toBeUndefined();
    expect(cache.bytes).toBe(bytesOf("b", null));
    cache.invalidate("b");
    expect([cache.bytes, cache.records]).toEqual([0, 0]);
  });

  it("pins neither the reply that a record came in nor a pool of small buffers", () => {
    const cache = new RecordCache(plenty);
    const reply = Buffer.alloc(65_536, "x");
    fill(cache, "a", reply.subarray(10, 20));
    reply.fill("y");
    expect(cache.find("a")).toEqual(Buffer.alloc(10, "x"));
    expect(cache.find("a")?.buffer.byteLength).toBe(10);
  });

  it("drops a fill whose record changed, or may have, between request and reply", () => {
    const cache = new RecordCache(plenty);
    const one = cache.announce(["a", "b"]);
    cache.invalidate("a");
    cache.keep(one, [record("old"), record("new")]);
    expect([cache.find("a"), cache.find("b")]).toEqual([undefined, record("new")]);
    const other = cache.announce(["c"]);
    cache.flush();
    cache.keep(other, [record("old")]);
    expect(cache.find("c")).toBeUndefined();
    expect(cache.counters).toMatchObject({ droppedFills: 2, invalidations: 1, flushes: 1 });
  });

  it("holds nothing where two fetches at once bring different records, in whatever order they come back", () => {
    const cache = new RecordCache(plenty);
    const fetches = [cache.announce(["a"]), cache.announce(["a"]), cache.announce(["a"])];
    for (const [i, text] of ["one", "other", "one"].entries()) {
      cache.keep(fetches[i] as (typeof fetches)[number], [record(text)]);
      expect(cache.find("a")?.toString()).toBe(i === 0 ? text : undefined);
    }
    expect([cache.counters.droppedFills, cache.fetching]).toEqual([2, 0]);
  });
});
