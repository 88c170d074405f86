import { describe, expect, it } from "vitest";
import { checkInterval, latestIntervalEnd, partitionsToConfirm, runKind } from "./interval.ts";

const view = { name: "prices", everyMs: 900_000 };

describe("an interval", () => {
  it("ends at the greatest multiple of the cadence that is not after now", () => {
    expect(latestIntervalEnd(view, 900_000)).toBe(900_000);
    expect(latestIntervalEnd(view, 1_799_999)).toBe(900_000);
    expect(latestIntervalEnd(view, -1)).toBe(-900_000);
  });

  it("is refused when it has not ended, is not aligned or is no instant", () => {
    expect(() => checkInterval(view, 1_800_000, 1_799_999)).toThrow("has not ended yet");
    expect(() => checkInterval(view, 900_001, 1_800_000)).toThrow("multiple of 900000 ms");
    expect(() => checkInterval(view, 9e15, 1_800_000)).toThrow("has not ended yet");
    expect(() => checkInterval(view, Number.NaN, 1_800_000)).toThrow("multiple of 900000 ms");
    expect(() => checkInterval(view, 1_800_000, 1_800_000)).not.toThrow();
  });

  it("moves online state only forward", () => {
    expect(runKind(undefined, 1)).toBe("forward");
    expect(runKind(1, 2)).toBe("forward");
    expect(runKind(2, 2)).toBe("rerun");
    expect(runKind(3, 2)).toBe("backfill");
  });
});

describe("a confirmation", () => {
  it("leaves out partitions with a withheld key and those confirmed already", () => {
    const confirm = partitionsToConfirm({ partitions: 5, withheld: new Set([1]), confirmed: new Set([0, 4]) });
    expect(confirm).toEqual([2, 3]);
  });
});
