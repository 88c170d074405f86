import type { Catalog, DirectView } from "@tributary/shared/contracts/catalog";
import { fingerprintOf } from "@tributary/shared/definitions/canonical-json";
import { openBucket } from "@tributary/shared/messaging/bucket";
import { currentKey, versionKey } from "@tributary/shared/runtime/catalog-client";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { until } from "../support/until.ts";
import { catalogVersion } from "./definitions.ts";
import { chunkOf, rowOf, type StoreRig, startStoreRig } from "./store-rig.ts";

/** Chunks that were stored under one catalog and are applied by a store that goes by a later one. */
let rig: StoreRig;
beforeAll(async () => {
  rig = await startStoreRig();
});
afterAll(() => rig?.stop());
beforeEach(() => rig.printLogsOnFailure());

type Features = DirectView["features"];
const first: Features = [
  { name: "whole", type: "int32" },
  { name: "ratio", type: "float32" },
  { name: "word", type: "string" },
];
/** Two wider, one gone, one new. */
const second: Features = [
  { name: "whole", type: "int64" },
  { name: "ratio", type: "float64" },
  { name: "more", type: "bool" },
];

/** The rig's catalog with a view `mixed` of these features, or without it. */
function catalogWith(version: number, viewVersion: number, features: Features | undefined): Catalog {
  const base = catalogVersion(version);
  if (features === undefined) return base;
  const mixed: DirectView = {
    lane: "direct",
    name: "mixed",
    version: viewVersion,
    entity: "airport",
    features,
    freshnessMs: 60_000,
    ttlMs: null,
    producers: [],
  };
  const columns = features.map(({ name }) => ({ name, view: "mixed", feature: name, keys: { code: "code" } }));
  const all = { name: "all", requestKeys: [{ name: "code", type: "string" as const }], columns };
  const body = {
    ...base,
    views: { ...base.views, mixed },
    featureServices: { ...base.featureServices, all },
  };
  return { ...body, version, fingerprint: fingerprintOf(body) };
}

async function store(catalog: Catalog): Promise<void> {
  const bucket = await openBucket(rig.admin, "TRIB_CATALOG");
  const put = (key: string, value: unknown) => bucket.put(key, new TextEncoder().encode(JSON.stringify(value)));
  await put(versionKey(catalog.version), catalog);
  await put(currentKey, { version: catalog.version, fingerprint: catalog.fingerprint });
  await until(async () => (await rig.status()).catalogVersion === catalog.version);
}

const read = async (code: string) => rowOf(await rig.read({ featureService: "all", keys: [{ code }] }));
const at = (minute: number) => Date.UTC(2026, 0, 1, 0, minute);
/** A write of that catalog version, applied now. */
async function apply(
  key: string,
  features: Record<string, unknown>,
  of: { catalogVersion: number; viewVersion?: number; minute: number },
) {
  const { minute, ...more } = of;
  await rig.publish(chunkOf("mixed", [{ key, eventTime: at(minute), features: features as never }], more));
  await rig.settled();
}

describe("a chunk of an earlier catalog", () => {
  it("is read by the later one: a wider feature by its value, a new one not found, a removed one not at all", async () => {
    await store(catalogWith(2, 1, first));
    await store(catalogWith(3, 1, second));
    await apply("ORD", { whole: 7, ratio: 0.5, word: "old" }, { catalogVersion: 2, minute: 1 });
    expect(await read("ORD")).toEqual({ whole: 7, ratio: 0.5, more: null });
    await apply("ORD", { whole: 2 ** 40, more: true }, { catalogVersion: 3, minute: 2 });
    expect(await read("ORD")).toEqual({ whole: 2 ** 40, ratio: 0.5, more: true });
  });

  it("does not beat what is newer, though it is applied later", async () => {
    await apply("ORD", { whole: 1, ratio: 0.25 }, { catalogVersion: 2, minute: 0 });
    expect(await read("ORD")).toMatchObject({ whole: 2 ** 40, ratio: 0.5 });
  });

  it("keeps a removed feature's cell, which is there again with its time when the feature comes back", async () => {
    await store(catalogWith(4, 1, [...second, { name: "word", type: "string" }]));
    const reply = await rig.read({ featureService: "all", keys: [{ code: "ORD" }], detail: true });
    const word = reply.columns.find(({ name }) => name === "word");
    expect(word).toMatchObject({ values: ["old"], eventTimes: [at(1)] });
  });

  it("of a view that is gone is kept for the day it comes back", async () => {
    await store(catalogWith(5, 1, undefined));
    await apply("LAX", { whole: 3 }, { catalogVersion: 4, minute: 3 });
    await store(catalogWith(6, 1, second));
    expect(await read("LAX")).toEqual({ whole: 3, ratio: null, more: null });
  });

  it("of another view version never shows in this one, and is there when that one is current again", async () => {
    const other: Features = [{ name: "whole", type: "string" }];
    await store(catalogWith(7, 2, other));
    await apply("JFK", { whole: 9 }, { catalogVersion: 6, minute: 4 });
    await apply("JFK", { whole: "nine" }, { catalogVersion: 7, viewVersion: 2, minute: 4 });
    expect(await read("JFK")).toEqual({ whole: "nine" });
    await store(catalogWith(8, 1, second));
    expect(await read("JFK")).toEqual({ whole: 9, ratio: null, more: null });
  });
});
