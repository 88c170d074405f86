import { pack, unpack } from "@tributary/shared/codec/msgpack";
import { toFeatureValue } from "@tributary/shared/codec/value-codec";
import type { FeatureValue } from "@tributary/shared/contracts/chunk";
import type { Feature } from "@tributary/shared/contracts/feature";
import { describe, expect, it } from "vitest";
import { toWireRecord, toWireValue } from "./input-value.ts";
import { converterOf, keepsWireValue } from "./output-value.ts";
import { toDetailRows, toRows } from "./read-rows.ts";

const at = new Date("2001-03-04T05:06:07.089Z");

describe("values", () => {
  it.each<[string, Omit<Feature, "name">, unknown]>([
    ["a timestamp", { type: "timestamp" }, at],
    ["a vector", { type: "vector", dimension: 3 }, Float32Array.of(1, -2.5, 3e10)],
    ["a list of timestamps", { type: "list", of: "timestamp" }, [at, null]],
    ["a map of timestamps", { type: "map", of: "timestamp" }, { first: at }],
    ["bytes", { type: "bytes" }, Uint8Array.of(0, 255)],
    ["NULL", { type: "timestamp" }, null],
    ["JSON", { type: "json" }, { a: [1, "x", null] }],
    ["a small int64 as bigint", { type: "int64", as: "bigint" }, -5n],
    ["a large int64 as bigint", { type: "int64", as: "bigint" }, 2n ** 62n + 1n],
    ["a list of int64 as bigint", { type: "list", of: "int64", as: "bigint" }, [1n, null]],
    ["an int64", { type: "int64" }, Number.MAX_SAFE_INTEGER],
  ])("%s comes back as it was given", (_what, shape, value) => {
    const feature: Feature = { name: "f", ...shape };
    const travelled = unpack(pack([toFeatureValue(feature, unpack(pack(toWireValue(value, "f"))))])) as FeatureValue[];
    const stored = travelled[0] ?? null;
    expect(converterOf(feature)(stored)).toEqual(value);
    if (keepsWireValue(feature)) expect(stored).toEqual(value);
  });

  it("a date comes back as midnight UTC of its day", () => {
    const feature: Feature = { name: "f", type: "date" };
    expect(converterOf(feature)(toFeatureValue(feature, "2001-03-04"))).toEqual(new Date("2001-03-04T00:00:00Z"));
  });

  it("what has no form on the wire is refused by its name, and undefined is left out", () => {
    for (const value of [() => 1, Symbol("x"), new Map(), new Date(Number.NaN)]) {
      expect(() => toWireRecord({ odd: value }, "features")).toThrow(
        expect.objectContaining({ code: "BAD_VALUE", message: expect.stringContaining("features.odd") }),
      );
    }
    expect(toWireRecord({ a: undefined, b: null }, "features")).toEqual({ b: null });
  });
});

describe("rows", () => {
  const reply = {
    featureService: "s",
    catalogVersion: 1,
    epoch: "e",
    nowMs: 0,
    columns: [
      {
        name: "seenAt",
        values: [at.getTime(), null],
        statuses: ["PRESENT", "NOT_FOUND"] as const,
        eventTimes: [at.getTime(), null],
        agesMs: [5, null],
        fresh: [true, false],
        lane: "direct" as const,
        view: "seen",
      },
    ],
  };
  const converters = new Map([["seenAt", converterOf({ type: "timestamp" })]]);

  it("come one a key, in the order of the keys", () => {
    expect(toRows(reply, 2, converters)).toEqual([{ seenAt: at }, { seenAt: null }]);
  });

  it("carry status, time, age, lane and freshness when asked", () => {
    expect(toDetailRows(reply, 2, converters)).toEqual([
      { seenAt: { value: at, status: "PRESENT", eventTime: at, ageMs: 5, lane: "direct", fresh: true, view: "seen" } },
      {
        seenAt: {
          value: null,
          status: "NOT_FOUND",
          eventTime: null,
          ageMs: null,
          lane: "direct",
          fresh: false,
          view: "seen",
        },
      },
    ]);
  });

  it("carry each value's own lane and view where the feature has layers", () => {
    const column = { name: "delay", values: [1, 2], lane: "batch", view: "profile" } as const;
    const layered = {
      ...reply,
      columns: [{ ...column, lanes: ["direct", "batch"], views: ["desk", "profile"] } as const],
    };
    expect(toDetailRows(layered, 2, new Map()).map((row) => [row.delay?.lane, row.delay?.view])).toEqual([
      ["direct", "desk"],
      ["batch", "profile"],
    ]);
  });
});
