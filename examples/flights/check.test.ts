import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compareWindows } from "./check.ts";
import { checkInstantsMs, startMs, warmUpMs } from "./dataset.ts";
import { type Engine, openEngine } from "./engine.ts";
import { type Recount, recountWindows } from "./recount.ts";

describe("the window check", () => {
  let engine: Engine;
  let recount: Recount;
  beforeAll(async () => {
    engine = await openEngine();
    recount = await recountWindows(engine, startMs - warmUpMs, checkInstantsMs[0] as number);
  });
  afterAll(() => engine.close());

  it("compares every window of all 229 airports, empty ones included", () => {
    const result = compareWindows(recount, recount);
    expect(result).toMatchObject({ checked: 229 * 15, mismatches: [] });
    const values = [...recount.values()].map((features) => features.departures_15m);
    expect(values).toContain(0);
    expect(values).toContain(null);
  });

  it("sees one altered count, mean, minimum and percentile", () => {
    const busy = recount.get("ORD") as Record<string, number>;
    const altered = {
      departures_1h: (busy.departures_1h ?? 0) + 1,
      delayMean_6h: (busy.delayMean_6h ?? 0) + 1e-6,
      delayMin_15m: (busy.delayMin_15m ?? 0) - 1,
      delayP90_6h: (busy.delayP90_6h ?? 0) * 1.02,
    };
    for (const [feature, value] of Object.entries(altered)) {
      const served = new Map(recount).set("ORD", { ...busy, [feature]: value });
      expect(compareWindows(served, recount).mismatches).toEqual([
        { airport: "ORD", feature, served: value, expected: busy[feature] },
      ]);
    }
  });

  it("sees a value that is missing", () => {
    const served = new Map(recount);
    served.delete("ORD");
    expect(compareWindows(served, recount).mismatches).toHaveLength(15);
  });
});
