import { describe, expect, it } from "vitest";
import type { Catalog } from "../contracts/catalog.ts";
import { tombstone } from "../contracts/chunk.ts";
import { partitionOf } from "../contracts/entity-key.ts";
import { admitRows, planWrite, type WriteRow } from "./admission.ts";

const nowMs = 1_000_000_000_000;
const day = 86_400_000;
const view = { version: 1, entity: "airport", freshnessMs: day, ttlMs: null };
const catalog: Catalog = {
  format: 1,
  version: 7,
  fingerprint: "f",
  partitions: 32,
  entities: { airport: { name: "airport", keys: [{ name: "code", type: "string" }] } },
  sources: {},
  views: {
    congestion: {
      lane: "direct",
      name: "congestion",
      ...view,
      producers: [],
      features: [
        { name: "score", type: "float64", min: 0, max: 1 },
        { name: "reason", type: "string" },
        { name: "embedding", type: "vector", dimension: 2 },
      ],
    },
    profile: {
      lane: "batch",
      name: "profile",
      ...view,
      sql: "select 1",
      sources: ["x"],
      everyMs: day,
      deleteShareMax: 0.5,
      features: [{ name: "flights", type: "int64" }],
    },
  },
  featureServices: {},
};
const plan = planWrite(catalog, "congestion");
const admit = (row: Partial<WriteRow>) => admitRows(plan, [{ key: { code: "ORD" }, ...row }], nowMs);

describe("admission", () => {
  it("gives an admitted row its key, its partition and its values", () => {
    const [row] = admit({ features: { score: 0.5, reason: null, embedding: [1, 2] } }).admitted;
    expect(row).toMatchObject({ index: 0, key: "ORD", partition: partitionOf("ORD", 32), eventTime: null });
    expect(row?.cells.get("score")).toBe(0.5);
    expect(row?.cells.get("reason")).toBeNull();
    expect(row?.cells.get("embedding")).toEqual(new Uint8Array(new Float32Array([1, 2]).buffer));
  });

  it("turns a withdrawn feature into a tombstone", () => {
    const [row] = admit({ withdraw: ["score"] }).admitted;
    expect(row?.cells.get("score")).toBe(tombstone);
  });

  it("refuses a bad row alone", () => {
    const rows = [0.1, 2, 0.3].map((score) => ({ key: { code: "ORD" }, features: { score } }));
    const { admitted, refused } = admitRows(plan, rows, nowMs);
    expect(admitted.map((row) => row.index)).toEqual([0, 2]);
    expect(refused).toMatchObject([{ index: 1, code: "BAD_VALUE", message: expect.stringContaining("score") }]);
  });

  it("takes an event time as milliseconds or as RFC 3339 with a zone, up to a minute ahead", () => {
    const times = [nowMs - 1, nowMs + 60_000, "2001-09-09T01:46:40Z", "2001-09-09T03:46:40.5+02:00"];
    const admitted = times.map((eventTime) => admit({ features: { score: 0 }, eventTime }).admitted[0]?.eventTime);
    expect(admitted).toEqual([nowMs - 1, nowMs + 60_000, nowMs, nowMs + 500]);
  });

  it.each<[string, Partial<WriteRow>, string, string]>([
    ["an unknown feature", { features: { colour: 1 } }, "UNKNOWN_FEATURE", "colour"],
    ["a feature named like a built-in", { features: { constructor: 1 } }, "UNKNOWN_FEATURE", "constructor"],
    ["an unknown withdrawal", { withdraw: ["colour"] }, "UNKNOWN_FEATURE", "colour"],
    ["a missing join key", { key: {}, features: { score: 0 } }, "MISSING_KEY", "code"],
    ["an extra join key", { key: { code: "ORD", x: "1" }, features: { score: 0 } }, "UNKNOWN_KEY", "x"],
    ["an empty join key", { key: { code: "" }, features: { score: 0 } }, "BAD_KEY", "code"],
    ["a join key of the wrong type", { key: { code: 5 }, features: { score: 0 } }, "BAD_KEY", "code"],
    ["a value of the wrong type", { features: { score: "high" } }, "BAD_VALUE", "score"],
    ["NaN", { features: { score: Number.NaN } }, "BAD_VALUE", "score"],
    ["an infinity", { features: { score: Number.POSITIVE_INFINITY } }, "BAD_VALUE", "score"],
    ["a vector of another dimension", { features: { embedding: [1] } }, "BAD_VALUE", "embedding"],
    ["a row without features", {}, "BAD_VALUE", "neither"],
    ["writing and withdrawing at once", { features: { score: 0 }, withdraw: ["score"] }, "BAD_VALUE", "score"],
    ["a time without a zone", { features: { score: 0 }, eventTime: "2001-09-09T01:46:40" }, "BAD_TIME", "eventTime"],
    ["a fraction of a millisecond", { features: { score: 0 }, eventTime: 1.5 }, "BAD_TIME", "eventTime"],
    ["a time too far ahead", { features: { score: 0 }, eventTime: nowMs + 60_001 }, "FUTURE_TIME", "60001 ms"],
  ])("refuses %s", (_what, row, code, message) => {
    const { admitted, refused } = admit(row);
    expect(admitted).toEqual([]);
    expect(refused).toMatchObject([{ code, message: expect.stringContaining(message) }]);
  });

  it("never puts a value into a refusal", () => {
    const [refused] = admit({ features: { score: "secret-value" } }).refused;
    expect(refused?.message).not.toContain("secret-value");
  });

  it("refuses the whole request for an unknown view or another lane's view", () => {
    expect(() => planWrite(catalog, "nope")).toThrow(expect.objectContaining({ code: "UNKNOWN_VIEW" }));
    expect(() => planWrite(catalog, "toString")).toThrow(expect.objectContaining({ code: "UNKNOWN_VIEW" }));
    expect(() => planWrite(catalog, "profile")).toThrow(expect.objectContaining({ code: "WRONG_LANE" }));
  });
});
