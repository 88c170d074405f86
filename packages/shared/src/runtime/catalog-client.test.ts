import { describe, expect, it } from "vitest";
import { TributaryError } from "../contracts/errors.ts";
import type { Bucket, BucketEntry } from "../messaging/contract.ts";
import { currentKey, versionKey, watchCatalog } from "./catalog-client.ts";
import { clockKey, setClock, watchClock } from "./clock-client.ts";

/** A bucket in memory whose watchers hear of an entry when the test says so. */
function memoryBucket() {
  const entries = new Map<string, BucketEntry>();
  const watchers = new Map<string, (entry: BucketEntry) => unknown>();
  let revision = 0;
  let reads = 0;
  const put = async (key: string, value: Uint8Array): Promise<number> => {
    revision += 1;
    entries.set(key, { key, value, revision, timestampMs: 0 });
    return revision;
  };
  const refuse = async (): Promise<never> => {
    throw new TributaryError("INTERNAL", "not used here");
  };
  const bucket: Bucket = {
    name: "TRIB_CATALOG",
    get: async (key) => {
      reads += 1;
      return entries.get(key);
    },
    create: refuse,
    update: refuse,
    put,
    keys: async () => [...entries.keys()],
    watch: async (key, onEntry) => {
      watchers.set(key, onEntry);
      return { stop: async () => void watchers.delete(key) };
    },
  };
  const tell = async (key: string): Promise<void> => {
    const entry = entries.get(key);
    // As the real watch does: what rejects is told again, by the test.
    if (entry) await Promise.resolve(watchers.get(key)?.(entry)).catch(() => {});
    await new Promise((done) => setImmediate(done));
  };
  return {
    bucket,
    putJson: (key: string, value: unknown) => put(key, Buffer.from(JSON.stringify(value))),
    tell,
    reads: () => reads,
  };
}

const catalog = (version: number) => ({
  format: 1,
  partitions: 32,
  entities: {},
  sources: {},
  views: {},
  featureServices: {},
  version,
  fingerprint: `f${version}`,
});

describe("the catalog as a process sees it", () => {
  it("is the current version, swapped whole, never back", async () => {
    const { bucket, putJson, tell } = memoryBucket();
    const view = await watchCatalog(bucket);
    expect(view.current).toBeUndefined();
    const seen: number[] = [];
    view.onChange((next) => seen.push(next.version));
    for (const version of [1, 3, 2]) {
      await putJson(versionKey(version), catalog(version));
      await putJson(currentKey, { version, fingerprint: `f${version}` });
      await tell(currentKey);
    }
    expect(view.current?.version).toBe(3);
    expect(seen).toEqual([1, 3]);
  });

  it("stays when the pointer names a version that is not there yet, and follows when it is (R4)", async () => {
    const { bucket, putJson, tell } = memoryBucket();
    await putJson(versionKey(1), catalog(1));
    await putJson(currentKey, { version: 1, fingerprint: "f1" });
    const view = await watchCatalog(bucket);
    await putJson(currentKey, { version: 2, fingerprint: "f2" });
    await tell(currentKey);
    expect(view.current?.version).toBe(1);
    expect(await view.version(2)).toBeUndefined();
    await putJson(versionKey(2), catalog(2));
    await tell(currentKey);
    expect(view.current?.version).toBe(2);
  });

  it("keeps versions that chunks name in memory, and a bounded number of them", async () => {
    const { bucket, putJson, reads } = memoryBucket();
    for (let version = 1; version <= 20; version++) await putJson(versionKey(version), catalog(version));
    const view = await watchCatalog(bucket);
    const before = reads();
    for (const version of [7, 7, 7]) expect((await view.version(version))?.version).toBe(version);
    expect(reads() - before).toBe(1);
    for (let version = 1; version <= 20; version++) await view.version(version);
    const full = reads();
    await view.version(20);
    expect(reads()).toBe(full);
    await view.version(1);
    expect(reads()).toBe(full + 1);
  });

  it("tells once of a current version that it cannot read, and keeps the one it has", async () => {
    const { bucket, putJson, tell } = memoryBucket();
    await putJson(versionKey(1), catalog(1));
    await putJson(currentKey, { version: 1, fingerprint: "f1" });
    const problems: unknown[] = [];
    const view = await watchCatalog(bucket, (error) => problems.push(error));
    await putJson(versionKey(2), { ...catalog(2), format: 2 });
    await putJson(currentKey, { version: 2, fingerprint: "f2" });
    await tell(currentKey);
    await tell(currentKey);
    expect(problems).toMatchObject([{ code: "UNSUPPORTED_FORMAT" }]);
    expect(view.current?.version).toBe(1);
  });

  it("refuses a form it does not know, by version", async () => {
    const { bucket, putJson } = memoryBucket();
    await putJson(versionKey(1), { ...catalog(1), format: 2 });
    const view = await watchCatalog(bucket);
    await expect(view.version(1)).rejects.toMatchObject({
      code: "UNSUPPORTED_FORMAT",
      message: expect.stringContaining("version 1"),
    });
  });
});

describe("the clock as a process sees it", () => {
  it("is the ordinary one until a record is set, then the record's, and ignores an older record", async () => {
    const { bucket, putJson, tell } = memoryBucket();
    const clock = await watchClock(bucket);
    expect(Math.abs(clock.now() - Date.now())).toBeLessThan(1_000);
    let changes = 0;
    clock.onChange(() => {
      changes += 1;
    });
    await setClock(bucket, { simulatedMs: 992_000_000_000, realMs: Date.now(), rate: 0 });
    await tell(clockKey);
    await tell(clockKey);
    expect({ now: clock.now(), changes }).toEqual({ now: 992_000_000_000, changes: 1 });
    await putJson(clockKey, { simulatedMs: 5, realMs: 0, rate: 0 });
    await tell(clockKey);
    expect(clock.now()).toBe(5);
  });

  it("runs at the record's rate", async () => {
    const { bucket } = memoryBucket();
    const beganMs = Date.now() - 1_000;
    await setClock(bucket, { simulatedMs: 0, realMs: beganMs, rate: 60 });
    const clock = await watchClock(bucket);
    const [low, now, high] = [(Date.now() - beganMs) * 60, clock.now(), (Date.now() - beganMs) * 60];
    expect(now).toBeGreaterThanOrEqual(low);
    expect(now).toBeLessThanOrEqual(high);
  });

  it.each([{ rate: -1 }, { rate: Number.NaN }, { simulatedMs: 1.5 }])("is never set to %j", async (wrong) => {
    const { bucket } = memoryBucket();
    await expect(setClock(bucket, { simulatedMs: 0, realMs: 0, rate: 1, ...wrong })).rejects.toThrow();
  });
});
