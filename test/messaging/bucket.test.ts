import { openBucket } from "@tributary/shared/messaging/bucket";
import type { Bucket, BucketEntry } from "@tributary/shared/messaging/contract";
import { callApi } from "@tributary/shared/messaging/jetstream-api";
import { ensureTopology } from "@tributary/shared/messaging/topology-admin";
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../support/until.ts";
import { type Broker, bytes, startBroker, text } from "./broker.ts";

let broker: Broker;
let bucket: Bucket;
beforeAll(async () => {
  broker = await startBroker();
  bucket = await openBucket(await broker.connect("admin"), "TRIB_CATALOG");
});
afterAll(() => broker.stop());

test("an entry is created once, read back with its revision, and updated from it", async () => {
  expect(await bucket.get("one")).toBeUndefined();
  const revision = await bucket.create("one", bytes("a"));
  expect(await bucket.get("one")).toMatchObject({ key: "one", value: bytes("a"), revision });
  await expect(bucket.create("one", bytes("b"))).rejects.toMatchObject({ code: "CATALOG_CONFLICT" });
  const next = await bucket.update("one", bytes("b"), revision);
  expect(next).toBeGreaterThan(revision);
  await expect(bucket.update("one", bytes("c"), revision)).rejects.toMatchObject({
    code: "CATALOG_CONFLICT",
    message: `bucket TRIB_CATALOG: "one" is no longer at revision ${revision}`,
  });
  await bucket.put("one", bytes("d"));
  const entry = await bucket.get("one");
  expect(text(entry?.value ?? bytes(""))).toBe("d");
  expect(Math.abs((entry?.timestampMs ?? 0) - Date.now())).toBeLessThan(60_000);
});

test("two writers that compare and set lose no increment", async () => {
  const other = await openBucket(await broker.connect("admin"), "TRIB_CATALOG");
  await bucket.create("counter", bytes("0"));
  let conflicts = 0;
  const increment = async (writer: Bucket) => {
    for (let done = 0; done < 50; ) {
      const entry = (await writer.get("counter")) as BucketEntry;
      const value = bytes(String(Number(text(entry.value)) + 1));
      const isStored = await writer.update("counter", value, entry.revision).then(
        () => true,
        (error) => {
          expect(error.code).toBe("CATALOG_CONFLICT");
          conflicts += 1;
          return false;
        },
      );
      if (isStored) done += 1;
    }
  };
  await Promise.all([increment(bucket), increment(other)]);
  expect(text((await bucket.get("counter"))?.value ?? bytes(""))).toBe("100");
  expect(conflicts).toBeGreaterThan(0);
});

test("a large value comes back whole, and keys are listed in order", async () => {
  const value = new Uint8Array(900_000).map((_, index) => index % 251);
  await bucket.put("v.2", value);
  await bucket.put("v.1", bytes("x"));
  expect(Buffer.from((await bucket.get("v.2"))?.value ?? []).equals(value)).toBe(true);
  expect((await bucket.keys()).filter((key) => key.startsWith("v."))).toEqual(["v.1", "v.2"]);
});

test("a key with wildcards, spaces or empty parts is BAD_KEY", async () => {
  for (const key of ["a.*", ">", "a b", "", ".a", "a..b"]) {
    await expect(bucket.get(key)).rejects.toMatchObject({ code: "BAD_KEY" });
  }
});

test("a watcher sees the entry now and every later one soon, never an older one again", async () => {
  const reader = await openBucket(await broker.connect("client"), "TRIB_CATALOG");
  await bucket.put("watched", bytes("0"));
  const seen: BucketEntry[] = [];
  const watch = await reader.watch("watched", (entry) => seen.push(entry), { relistMs: 5 });
  expect(seen.map((entry) => text(entry.value))).toEqual(["0"]);
  for (let value = 1; value <= 5; value += 1) {
    await bucket.put("watched", bytes(String(value)));
    await until(() => text(seen.at(-1)?.value ?? bytes("")) === String(value));
  }
  await bucket.put("other", bytes("not mine"));
  const revisions = seen.map((entry) => entry.revision);
  expect(revisions).toEqual([...new Set(revisions)].sort((a, b) => a - b));
  await watch.stop();
  await bucket.put("watched", bytes("unseen"));
  expect(text(seen.at(-1)?.value ?? bytes(""))).toBe("5");
});

test("a watcher of an absent key is told once it appears", async () => {
  const seen: string[] = [];
  const watch = await bucket.watch("later", (entry) => seen.push(text(entry.value)));
  expect(seen).toEqual([]);
  await bucket.put("later", bytes("here"));
  await until(() => seen.length === 1);
  await watch.stop();
});

test("a watcher goes on after the broker was killed and started", async () => {
  const seen: string[] = [];
  const watch = await bucket.watch("survivor", (entry) => seen.push(text(entry.value)), { relistMs: 60_000 });
  await bucket.put("survivor", bytes("a"));
  await broker.nats.kill();
  await broker.nats.start();
  await bucket.put("survivor", bytes("b"));
  await until(() => seen.at(-1) === "b");
  await bucket.put("survivor", bytes("c"));
  await until(() => seen.at(-1) === "c");
  await watch.stop();
});

test("even without its watch, a re-list finds the change", async () => {
  const admin = await broker.connect("admin");
  const seen: string[] = [];
  const watch = await bucket.watch("relisted", (entry) => seen.push(text(entry.value)), { relistMs: 100 });
  const { consumers } = await callApi<{ consumers: string[] }>(admin, "CONSUMER.NAMES.KV_TRIB_CATALOG");
  for (const consumer of consumers) await callApi(admin, `CONSUMER.DELETE.KV_TRIB_CATALOG.${consumer}`);
  await bucket.put("relisted", bytes("found"));
  await until(() => seen.includes("found"));
  await watch.stop();
});

test("an entry that could not be taken up comes again with a later listing, and then no more", async () => {
  const tried: string[] = [];
  const take = async (value: string) => {
    tried.push(value);
    if (tried.length < 3) throw new Error("not now");
  };
  const watch = await bucket.watch("stubborn", (entry) => take(text(entry.value)), { relistMs: 20 });
  await bucket.put("stubborn", bytes("a"));
  await until(() => tried.length === 3);
  await bucket.put("stubborn", bytes("b"));
  await until(() => tried.at(-1) === "b");
  expect(tried).toEqual(["a", "a", "a", "b"]);
  await watch.stop();
});

test("a missing bucket is MISSING_RESOURCE naming it", async () => {
  const admin = await broker.connect("admin");
  await callApi(admin, "STREAM.DELETE.KV_TRIB_CLOCK");
  await expect(openBucket(admin, "TRIB_CLOCK")).rejects.toMatchObject({
    code: "MISSING_RESOURCE",
    message: expect.stringContaining("bucket TRIB_CLOCK"),
  });
  await ensureTopology(admin);
  await openBucket(admin, "TRIB_CLOCK");
});
