import { describe, expect, it } from "vitest";
import { requestFingerprint } from "./request-fingerprint.ts";

const request = (features: Record<string, unknown>) => ({ view: "v", rows: [{ key: { code: "ORD" }, features }] });

describe("the fingerprint of a write", () => {
  it("knows a request again whatever the order of its fields", () => {
    expect(requestFingerprint(request({ a: 1, b: 2 }))).toBe(requestFingerprint(request({ b: 2, a: 1 })));
  });

  it("tells requests apart by any value", () => {
    const values = [1, "1", 1n, true, null, [1], [[1]], { a: 1 }, new Uint8Array([1]), "x01", ""];
    const prints = values.map((value) => requestFingerprint(request({ a: value })));
    expect(new Set(prints).size).toBe(values.length);
  });
});
