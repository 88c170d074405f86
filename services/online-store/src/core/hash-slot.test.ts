import { describe, expect, it } from "vitest";
import { hashSlot } from "./hash-slot.ts";

describe("the slot of a key", () => {
  it("is the CRC-16 of the whole key where it has no hash tag", () => {
    // 0x31c3 is the checksum's published check value.
    expect(hashSlot("123456789")).toBe(0x31c3 % 16_384);
    expect(hashSlot("{}123456789")).not.toBe(hashSlot("123456789"));
  });

  it("is that of the hash tag alone where there is one", () => {
    expect(hashSlot("{123456789}:airport:ORD")).toBe(0x31c3 % 16_384);
    expect(hashSlot("{p07}!floor")).toBe(hashSlot("{p07}:airport:ORD{x}"));
  });
});
