import type { Version } from "@tributary/shared/contracts/version";
import type { WriteToken } from "@tributary/shared/contracts/write";
import type { Cell } from "@tributary/shared/merge/cell";
import { describe, expect, it } from "vitest";
import { isReadable } from "./token.ts";

const token: WriteToken = {
  view: "congestion",
  key: "ORD",
  features: ["score"],
  eventTime: 100,
  incarnation: 7,
  sequence: 50,
  row: 2,
};
const unknownTime = { ...token, eventTime: null };

function cells(version: Partial<Version>, feature = "score"): Cell[] {
  return [{ feature, value: 1, version: { eventTime: 100, incarnation: 7, sequence: 50, minor: 2, ...version } }];
}

describe("a write's token", () => {
  it("is readable when each named cell holds its version or a greater one", () => {
    expect(isReadable(token, cells({}), undefined)).toBe(true);
    expect(isReadable(token, cells({ eventTime: 101, sequence: 1 }), undefined)).toBe(true);
    expect(isReadable(token, cells({ minor: 1 }), undefined)).toBe(false);
    expect(isReadable(token, cells({ sequence: 49 }), undefined)).toBe(false);
    expect(isReadable(token, cells({ eventTime: 99, sequence: 90 }), undefined)).toBe(false);
    expect(isReadable(token, cells({}, "reason"), undefined)).toBe(false);
    expect(isReadable({ ...token, features: ["score", "reason"] }, cells({}), undefined)).toBe(false);
    expect(isReadable(token, [], undefined)).toBe(false);
  });

  it("without an event time goes by stamps alone", () => {
    expect(isReadable(unknownTime, cells({ eventTime: 5 }), undefined)).toBe(true);
    expect(isReadable(unknownTime, cells({ eventTime: 5, sequence: 49 }), undefined)).toBe(false);
  });

  it("is judged when everything up to it is applied, also where an earlier write keeps the cell", () => {
    const kept = cells({ eventTime: 900, sequence: 20 });
    expect(isReadable(unknownTime, kept, { incarnation: 7, sequence: 49 })).toBe(false);
    expect(isReadable(unknownTime, kept, { incarnation: 7, sequence: 50 })).toBe(true);
    expect(isReadable(unknownTime, kept, { incarnation: 8, sequence: 50 })).toBe(false);
  });
});
