import { describe, expect, it } from "vitest";
import { HandOver } from "./hand-over.ts";

const tableOf = (holders: Record<string, string | undefined>, instances = 2) => ({
  me: "a",
  holders: new Map(Object.entries(holders)),
  instances,
});

describe("handing over", () => {
  it("gives the next lease away only when the last was taken", () => {
    const handOver = new HandOver();
    handOver.observe(tableOf({ p: "a", q: "a" }), 0);
    expect(handOver.begin("p", 2)).toBe(true);
    handOver.observe(tableOf({ p: undefined, q: "a" }), 10);
    expect(handOver.begin("q", 2)).toBe(false);
    handOver.observe(tableOf({ p: "b", q: "a" }), 20);
    expect(handOver.begin("q", 2)).toBe(true);
  });

  it("ends when one that nobody took came back, until instances come or go", () => {
    const handOver = new HandOver();
    handOver.begin("p", 2);
    handOver.observe(tableOf({ p: "a" }), 10);
    expect(handOver.begin("p", 2)).toBe(false);
    handOver.observe(tableOf({ p: "a" }, 3), 20);
    expect(handOver.begin("p", 3)).toBe(true);
  });

  it("knows since when a lease has been free at every look", () => {
    const handOver = new HandOver();
    const looks: [number, string | undefined][] = [
      [0, undefined],
      [60, "b"],
      [70, undefined],
      [169, undefined],
    ];
    for (const [nowMs, holder] of looks) handOver.observe(tableOf({ p: holder }), nowMs);
    expect([handOver.isFreeFor("p", 99), handOver.isFreeFor("p", 100), handOver.isFreeFor("q", 1)]).toEqual([
      true,
      false,
      false,
    ]);
  });
});
