import { describe, expect, it } from "vitest";
import type { ErasureStatus } from "./erasure-status.ts";
import { neededBy } from "./still-needed.ts";

const hour = 3_600_000;
const requestedAt = "2026-03-01T12:00:00.000Z";
const later = Date.parse(requestedAt) + 48 * hour;

const over: ErasureStatus = {
  id: "one",
  entity: "shop",
  requestedAt,
  erasedUpTo: requestedAt,
  participants: [{ service: "online-store", state: "done" }],
  records: null,
  streams: [],
  sources: [{ source: "sales", where: [], views: ["shop_sales"] }],
  liftedAt: requestedAt,
};

describe("an erasure", () => {
  it("is needed no longer when it is carried out, lifted, old, and no stream holds anything from before it", () => {
    expect(neededBy(over, later)).toEqual([]);
  });

  it.each<[string, Partial<ErasureStatus>, number, string]>([
    ["somebody has to carry it out", { participants: [{ service: "x", state: "pending" }] }, later, "x has not"],
    ["a stream holds older messages", { streams: [{ stream: "S", since: "then", until: null }] }, later, "S holds"],
    ["batch runs keep the key out by it", { liftedAt: null }, later, "lift it first"],
    ["it is young", {}, later - 1, "48 hours"],
  ])("is needed while %s", (_why, change, nowMs, reason) => {
    expect(neededBy({ ...over, ...change }, nowMs)).toEqual([expect.stringContaining(reason)]);
  });

  it("of no batch view need not be lifted", () => {
    expect(neededBy({ ...over, sources: [], liftedAt: null }, later)).toEqual([]);
  });
});
