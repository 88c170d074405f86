import { describe, expect, it } from "vitest";
import type { Entity } from "./catalog.ts";
import { encodeEntityKey, partitionOf } from "./entity-key.ts";

const route: Entity = {
  name: "route",
  keys: [
    { name: "origin", type: "string" },
    { name: "number", type: "int64" },
  ],
};
const device: Entity = { name: "device", keys: [{ name: "id", type: "uuid" }] };

/** Key → partition of 32. The SQL form of the rule is tested against the same function. */
const golden: readonly (readonly [string, number])[] = [
  ["a", 19],
  ["foobar", 28],
  ["user-1", 12],
  ["user-42", 22],
  ["ü-7", 18],
  ["acct_99", 3],
  ["ORD", 17],
  ["LAX", 31],
  ["ORD\u001fLAX", 31],
  ["日本", 31],
  ["x".repeat(512), 29],
];

describe("entity key", () => {
  it("joins the values in declared order", () => {
    const key = encodeEntityKey(route, { number: 12n, origin: "ORD" });
    expect(key).toBe("ORD\u001f12");
  });

  it("writes a uuid in lower case", () => {
    expect(encodeEntityKey(device, { id: "0E984725-C51C-4BF4-9960-E1C80E27ABA0" })).toBe(
      "0e984725-c51c-4bf4-9960-e1c80e27aba0",
    );
  });

  it.each([
    ["MISSING_KEY", { origin: "ORD" }, "number"],
    ["UNKNOWN_KEY", { origin: "ORD", number: 1, extra: 1 }, "extra"],
    ["BAD_KEY", { origin: "", number: 1 }, "route.origin"],
    ["BAD_KEY", { origin: "a\u001fb", number: 1 }, "control character"],
    ["BAD_KEY", { origin: "a", number: 1.5 }, "route.number"],
    ["BAD_KEY", { origin: "a", number: "01" }, "route.number"],
    ["BAD_KEY", { origin: 5, number: 1 }, "must be string"],
    ["BAD_KEY", { origin: "\ud800", number: 1 }, "Unicode"],
    ["BAD_KEY", { origin: "ü".repeat(300), number: 1 }, "512 bytes"],
  ])("refuses with %s: %j", (code, values, named) => {
    expect(() => encodeEntityKey(route, values)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(named) }),
    );
  });
});

describe("partition", () => {
  it.each(golden)("of %j is %i", (key, partition) => expect(partitionOf(key, 32)).toBe(partition));

  it("spreads regular keys evenly", () => {
    const counts = new Array<number>(32).fill(0);
    for (let i = 0; i < 32_000; i++) {
      const partition = partitionOf(`user-${i}`, 32);
      counts[partition] = (counts[partition] ?? 0) + 1;
    }
    expect(Math.max(...counts)).toBeLessThan(1_150);
    expect(Math.min(...counts)).toBeGreaterThan(850);
  });
});
