import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { catalogOf, every, noon, sales } from "./definitions.ts";
import { rowsPublished, serve } from "./naive-store.ts";
import { type Rig, startRig } from "./rig.ts";

describe("a run", () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await startRig();
  });
  afterAll(() => rig.stop());

  it("publishes every row the first time, confirms all partitions, and nothing on a rerun of unchanged input", async () => {
    const bench = await rig.bench("first");
    await bench.land([
      { id: 1, shop: "oslo", amount: 10 },
      { id: 2, shop: "oslo", amount: 20 },
      { id: 3, shop: "rome", amount: null },
    ]);
    const first = await bench.run();
    expect(first).toMatchObject({ phase: "published", counts: { rows: 2, inserted: 2, published: 2 } });
    const chunks = await bench.published();
    expect(serve(chunks)).toEqual({
      oslo: { orders: 2, revenue: 30, best: 20 },
      rome: { orders: 1, revenue: null, best: null },
    });
    const confirmed = chunks.filter((chunk) => chunk.kind === "confirm");
    expect(confirmed.map((chunk) => chunk.partition)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(confirmed.every((chunk) => chunk.kind === "confirm" && chunk.confirmedAtMs === noon)).toBe(true);
    expect(chunks.findIndex((chunk) => chunk.kind === "confirm")).toBeGreaterThan(0);

    const rerun = await bench.run();
    expect(rerun).toMatchObject({ phase: "published", counts: { rows: 2, unchanged: 2, published: 0 } });
    expect(await bench.published()).toHaveLength(chunks.length);
  });

  it("carries the interval's end and the run's number as version, in one partition a chunk", async () => {
    const bench = await rig.bench("version");
    await bench.land(["a", "b", "c", "d", "e", "f"].map((shop, id) => ({ id, shop, amount: id })));
    const { run } = await bench.run();
    const rows = (await bench.published()).filter((chunk) => chunk.kind === "rows");
    expect(rows.length).toBeGreaterThan(1);
    for (const [ordinal, chunk] of rows.entries()) {
      expect(chunk).toMatchObject({ lane: "batch", view: "version", viewVersion: 1, catalogVersion: 7 });
      expect(chunk.run).toEqual({ number: run, ordinal });
      expect(new Set(chunk.eventTimes)).toEqual(new Set([noon]));
      expect(new Set(chunk.stamps?.sequences)).toEqual(new Set([run]));
    }
  });
  void every;
  void catalogOf;
  void sales;
  void rowsPublished;
});
