import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { requestFingerprint, reservationKey } from "./idempotency.ts";

const request = (features: Record<string, unknown>) => ({ view: "v", rows: [{ key: { code: "ORD" }, features }] });

describe("idempotency", () => {
  it("knows a request again whatever the order of its fields", () => {
    expect(requestFingerprint(request({ a: 1, b: 2 }))).toBe(requestFingerprint(request({ b: 2, a: 1 })));
  });

  it("tells requests apart by any value", () => {
    const values = [1, "1", 1n, true, null, [1], [[1]], { a: 1 }, new Uint8Array([1]), "x01", ""];
    const prints = values.map((value) => requestFingerprint(request({ a: value })));
    expect(new Set(prints).size).toBe(values.length);
  });

  it("makes a bucket key of any text", () => {
    fc.assert(fc.property(fc.string(), (text) => /^[0-9a-f]{64}$/.test(reservationKey(text))));
  });
});
