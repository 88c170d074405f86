import { describe, expect, it } from "vitest";
import { limits } from "../contracts/limits.ts";
import { checkRequestKeys, parseReadRequest, requestValues } from "./read-request.ts";

const shape = {
  featureService: "boarding",
  requestKeys: ["origin"],
  requestFields: [
    { name: "partySize", type: "int64", nullable: false },
    { name: "since", type: "timestamp", nullable: true },
    { name: "vip", type: "bool", nullable: true },
  ],
} as const;
const row = { origin: "ORD", partySize: 2 };
const valuesOf = (more: object) => {
  const given = Object.fromEntries(Object.entries({ ...row, ...more }).filter(([, value]) => value !== undefined));
  const [parsed = {}] = parseReadRequest({ featureService: "boarding", keys: [given] }).keys;
  checkRequestKeys(shape, parsed);
  return requestValues(shape, [parsed])[0];
};

describe("the request fields of a read", () => {
  it("come in by their type, those that may be absent as null", () => {
    expect(valuesOf({})).toEqual({ partySize: 2, since: null, vip: null });
    expect(valuesOf({ partySize: 3n, since: "2026-01-01T00:00:00Z", vip: true })).toEqual({
      partySize: 3,
      since: Date.UTC(2026, 0, 1),
      vip: true,
    });
    expect(valuesOf({ since: null })).toMatchObject({ since: null });
  });

  it.each<[string, object, string, string]>([
    [
      "missing",
      { partySize: undefined },
      "MISSING_FIELD",
      'request field "partySize" of feature service "boarding" (origin, partySize: int64, since: timestamp, vip: bool) is missing',
    ],
    [
      "null where that is not allowed",
      { partySize: null },
      "BAD_VALUE",
      'request field "partySize" of feature service "boarding" must not be null',
    ],
    ["of another type", { partySize: "two" }, "BAD_VALUE", "must be int64"],
    ["not whole", { partySize: 2.5 }, "BAD_VALUE", "must be int64"],
    ["a time without a zone", { since: "2026-01-01T00:00:00" }, "BAD_VALUE", "must be a timestamp"],
    ["of no form that a read has", { since: [1] }, "MALFORMED", "keys.0.since"],
    [
      "unknown",
      { size: 2 },
      "UNKNOWN_KEY",
      '"size" is not a key of feature service "boarding" (origin, partySize: int64',
    ],
    ["too long", { vip: "x".repeat(limits.stringBytesMax + 1) }, "MALFORMED", "keys.0.vip"],
  ])("that are %s are refused", (_what, more, code, message) => {
    expect(() => valuesOf(more)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }));
  });

  it("never stand in an error", () => {
    expect(() => valuesOf({ partySize: "secret" })).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining("secret") }),
    );
  });
});
