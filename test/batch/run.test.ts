import type { Publisher } from "@tributary/shared/messaging/contract";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunStep } from "../../services/batch-runner/src/handlers/run-ports.ts";
import { catalogOf, every, noon } from "./definitions.ts";
import { rowsPublished, serve } from "./naive-store.ts";
import { type Bench, type Rig, startRig } from "./rig.ts";

describe("a run", () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await startRig();
  });
  afterAll(() => rig.stop());

  const confirmations = async (bench: Bench) =>
    (await bench.published()).flatMap((chunk) =>
      chunk.kind === "confirm" ? [{ partition: chunk.partition, at: chunk.confirmedAtMs, run: chunk.run?.number }] : [],
    );

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
    expect((await confirmations(bench)).map(({ partition }) => partition)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(chunks.slice(-8).every((chunk) => chunk.kind === "confirm" && chunk.confirmedAtMs === noon)).toBe(true);

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

  it("confirms only when every row is acknowledged, and commits only when every confirmation is", async () => {
    const bench = await rig.bench("order");
    await bench.land(["a", "b", "c", "d", "e", "f"].map((shop, id) => ({ id, shop, amount: id })));
    const { publisher } = bench.ports;
    const acknowledged: string[] = [];
    const slow: Publisher = {
      ...publisher,
      publish: async (message) => {
        const ack = await publisher.publish(message);
        // Acknowledgements come late, the first row's last of all.
        for (let i = 0; i < (message.id?.includes(":0:") ? 50 : 5); i++) await new Promise(setImmediate);
        acknowledged.push(message.id ?? "");
        return ack;
      },
    };
    let rowsWhenConfirming = -1;
    const onStep = async (at: RunStep) => {
      const rows = acknowledged.filter((id) => !id.includes(":confirm:")).length;
      if (at === "published") rowsWhenConfirming = rows;
      if (at === "confirmed") expect(acknowledged.length - rows).toBe(8);
    };
    await bench.run(noon, { publisher: slow, onStep });
    const chunks = (await bench.published()).filter((chunk) => chunk.kind === "rows");
    expect(rowsWhenConfirming).toBe(chunks.length);
  });

  it("confirms a new interval in which nothing changed, and publishes no row", async () => {
    const bench = await rig.bench("confirm_only");
    await bench.land([{ id: 1, shop: "oslo", amount: 10 }]);
    await bench.run(noon - every);
    const second = await bench.run(noon);
    expect(second.counts).toMatchObject({ unchanged: 1, published: 0 });
    expect(rowsPublished(await bench.published())).toBe(1);
    expect((await confirmations(bench)).filter(({ at }) => at === noon)).toHaveLength(8);
  });

  it("accounts for every row: inserted, updated, deleted, unchanged and suppressed", async () => {
    const bench = await rig.bench("accounting");
    const shop = (name: string, amount: number, id: number) => ({ id, shop: name, amount });
    await bench.land([shop("same", 1, 1), shop("near", 1, 2), shop("far", 1, 3), shop("gone", 1, 4)]);
    await bench.run(noon - every);
    // "near" moves within the tolerance of revenue; its best is the same.
    await bench.land([
      shop("same", 1, 1),
      shop("near", 1, 2),
      shop("near", -0.25, 6),
      shop("far", 9, 3),
      shop("new", 1, 5),
    ]);
    const catalog = catalogOf({ ...bench.view, sql: bench.view.sql.replace("count(*)", "1") });
    const { counts } = await bench.run(noon, { catalog });
    expect(counts).toEqual({
      rows: 4,
      inserted: 1,
      updated: 1,
      deleted: 1,
      unchanged: 1,
      suppressed: 1,
      published: 3,
      withheld: 0,
    });
    expect(serve(await bench.published())).toMatchObject({ near: { revenue: 1 }, far: { revenue: 9 } });
    expect(serve(await bench.published())).not.toHaveProperty("gone");
  });

  it("brings a key back that was deleted", async () => {
    const bench = await rig.bench("return");
    const [oslo, rome] = [
      { id: 1, shop: "oslo", amount: 10 },
      { id: 2, shop: "rome", amount: 20 },
    ];
    await bench.land([oslo, rome]);
    await bench.run(noon - 3 * every);
    await bench.land([rome]);
    expect((await bench.run(noon - 2 * every)).counts).toMatchObject({ deleted: 1 });
    expect(serve(await bench.published())).not.toHaveProperty("oslo");
    expect((await bench.run(noon - every)).counts).toMatchObject({ deleted: 0, published: 0 });
    await bench.land([oslo, rome]);
    expect((await bench.run(noon)).counts).toMatchObject({ inserted: 1, published: 1 });
    expect(serve(await bench.published())).toHaveProperty("oslo", { orders: 1, revenue: 10, best: 10 });
  });

  it("refuses to delete more than the view allows, publishes nothing and leaves the view as it was", async () => {
    const bench = await rig.bench("guard");
    const catalog = catalogOf({ ...bench.view, deleteShareMax: 0.5 });
    const rows = ["a", "b", "c", "d"].map((shop, id) => ({ id, shop, amount: 1 }));
    await bench.land(rows);
    await bench.run(noon - every, { catalog });
    const published = await bench.published();
    await bench.land(rows.slice(0, 1));
    await expect(bench.run(noon, { catalog })).rejects.toMatchObject({
      code: "DELETE_GUARD",
      message: expect.stringContaining("would delete 3 published rows, 75.0 % of them; allowed are 50.0 %"),
    });
    expect(await bench.published()).toEqual(published);
    expect((await bench.ports.ledger.recent("guard", 1))[0]).toMatchObject({
      phase: "failed",
      error: { code: "DELETE_GUARD" },
    });
    await bench.land(rows.slice(0, 2));
    expect((await bench.run(noon, { catalog })).counts).toMatchObject({ deleted: 2 });
  });

  it("withholds a key whose value is NaN, keeps what was published of it, and does not confirm its partition", async () => {
    const bench = await rig.bench("withheld");
    const rows = [
      { id: 1, shop: "oslo", amount: 10 },
      { id: 2, shop: "rome", amount: 20 },
    ];
    const isOslo = "case when shop = 'oslo' then 'nan'::double else";
    await bench.land(rows);
    await bench.run(noon - every);
    const broken = catalogOf({
      ...bench.view,
      sql: bench.view.sql.replace("max(amount)", `${isOslo} max(amount) + 1 end`),
    });
    const { counts } = await bench.run(noon, { catalog: broken });
    expect(counts).toMatchObject({ rows: 1, updated: 1, deleted: 0, withheld: 1 });
    expect(serve(await bench.published())).toMatchObject({ oslo: { best: 10 }, rome: { best: 21 } });
    const confirmed = (await confirmations(bench)).filter(({ at }) => at === noon);
    expect(confirmed).toHaveLength(7);

    // Mended in a rerun of the same interval: the one partition is confirmed then.
    expect((await bench.run(noon)).counts).toMatchObject({ withheld: 0, updated: 1 });
    const all = (await confirmations(bench)).filter(({ at }) => at === noon);
    expect(new Set(all.map(({ partition }) => partition)).size).toBe(8);
    expect(all).toHaveLength(8);
  });

  it("withholds what a feature's checks refuse, and says why without the value", async () => {
    const bench = await rig.bench("checked");
    const checks = { orders: { max: 1 }, revenue: { nullable: false }, best: { min: 0 } } as const;
    const features = bench.view.features.map((feature) => ({
      ...feature,
      ...checks[feature.name as keyof typeof checks],
    }));
    await bench.land([
      { id: 1, shop: "oslo", amount: 10 },
      { id: 2, shop: "rome", amount: null },
      { id: 3, shop: "bern", amount: -1 },
      { id: 4, shop: "kiel", amount: 1 },
      { id: 5, shop: "kiel", amount: 1 },
    ]);
    const reasons: unknown[] = [];
    const logger = Object.assign(Object.create(bench.ports.logger), { warn: (said: unknown) => reasons.push(said) });
    const { counts } = await bench.run(noon, { catalog: catalogOf({ ...bench.view, features }), logger });
    expect(counts).toMatchObject({ rows: 1, published: 1, withheld: 3 });
    expect(Object.keys(serve(await bench.published()))).toEqual(["oslo"]);
    expect(reasons).toEqual(
      expect.arrayContaining([
        { reason: 'feature "orders" must be at most 1', rows: 1 },
        { reason: 'feature "revenue" must not be null', rows: 1 },
        { reason: 'feature "best" must be at least 0', rows: 1 },
      ]),
    );
  });

  it("carries the whole of int64 where it is a bigint, and sees a change in its last digit", async () => {
    const bench = await rig.bench("wide");
    const features = [{ name: "serial", type: "int64", as: "bigint" }] as const;
    const view = (last: number) => ({
      ...bench.view,
      features: [...features],
      sql: `select shop as code, case shop when 'oslo' then 922337203685477580${last} else 5 end as serial from sales`,
    });
    await bench.land([
      { id: 1, shop: "oslo", amount: 1 },
      { id: 2, shop: "rome", amount: 1 },
    ]);
    await bench.run(noon - every, { catalog: catalogOf(view(6)) });
    expect(serve(await bench.published())).toEqual({ oslo: { serial: 2n ** 63n - 2n }, rome: { serial: 5 } });
    const { counts } = await bench.run(noon, { catalog: catalogOf(view(7)) });
    expect(counts).toMatchObject({ updated: 1, unchanged: 1, published: 1 });
    expect(serve(await bench.published())).toEqual({ oslo: { serial: 2n ** 63n - 1n }, rome: { serial: 5 } });
  });

  it("does not take a row without a usable key for an entity", async () => {
    const bench = await rig.bench("keyless");
    await bench.land([
      { id: 1, shop: "", amount: 10 },
      { id: 2, shop: "rome", amount: 20 },
      { id: 3, shop: "a\tb", amount: 1 },
    ]);
    const { counts } = await bench.run();
    expect(counts).toMatchObject({ rows: 1, withheld: 2 });
    expect(await confirmations(bench)).toHaveLength(8);
    expect(Object.keys(serve(await bench.published()))).toEqual(["rome"]);
  });

  it("publishes everything again under a new view version, and withdraws what only the old one had", async () => {
    const bench = await rig.bench("versions");
    const [oslo, rome] = [
      { id: 1, shop: "oslo", amount: 10 },
      { id: 2, shop: "rome", amount: 20 },
    ];
    await bench.land([oslo, rome]);
    await bench.run(noon - every);
    await bench.land([oslo]);
    const features = [...bench.view.features, { name: "cheapest", type: "float64" as const }];
    const sql = bench.view.sql.replace(" from", ", min(amount) as cheapest from");
    const { counts } = await bench.run(noon, { catalog: catalogOf({ ...bench.view, version: 2, features, sql }) });
    expect(counts).toMatchObject({ updated: 1, deleted: 1, published: 2 });
    const last = (await bench.published()).filter((chunk) => chunk.viewVersion === 2 && chunk.kind === "rows");
    expect(serve(last)).toEqual({ oslo: { orders: 1, revenue: 10, best: 10, cheapest: 10 } });
    expect(serve(await bench.published())).not.toHaveProperty("rome");
  });

  it("withdraws what was deleted meanwhile when an earlier view version comes back", async () => {
    const bench = await rig.bench("back");
    const [oslo, rome] = [
      { id: 1, shop: "oslo", amount: 10 },
      { id: 2, shop: "rome", amount: 20 },
    ];
    await bench.land([oslo, rome]);
    await bench.run(noon - 2 * every);
    await bench.land([oslo]);
    await bench.run(noon - every, { catalog: catalogOf({ ...bench.view, version: 2 }) });
    await bench.run(noon);
    const first = (await bench.published()).filter((chunk) => chunk.viewVersion === 1);
    expect(serve(first)).toEqual({ oslo: { orders: 1, revenue: 10, best: 10 } });
    const { counts } = await bench.run(noon);
    expect(counts).toMatchObject({ unchanged: 1, published: 0 });
  });

  it("withdraws what was deleted meanwhile when a feature comes back", async () => {
    const bench = await rig.bench("feature_back");
    await bench.land([
      { id: 1, shop: "oslo", amount: 10 },
      { id: 2, shop: "rome", amount: 20 },
    ]);
    await bench.run(noon - 2 * every);
    await bench.land([{ id: 1, shop: "oslo", amount: 10 }]);
    const features = bench.view.features.filter(({ name }) => name !== "best");
    const sql = bench.view.sql.replace(", max(amount) as best", "");
    await bench.run(noon - every, { catalog: catalogOf({ ...bench.view, features, sql }) });
    await bench.run(noon);
    expect(serve(await bench.published())).toEqual({ oslo: { orders: 1, revenue: 10, best: 10 } });
  });

  it("publishes a feature that was added to a view, and nothing else of it", async () => {
    const bench = await rig.bench("added");
    await bench.land([{ id: 1, shop: "oslo", amount: 10 }]);
    await bench.run(noon - every);
    const features = [...bench.view.features, { name: "cheapest", type: "float64" as const }];
    const sql = bench.view.sql.replace(" from", ", min(amount) as cheapest from");
    await bench.run(noon, { catalog: catalogOf({ ...bench.view, features, sql }) });
    const last = (await bench.published()).filter((chunk) => chunk.kind === "rows").at(-1);
    expect(last?.kind === "rows" && last.columns).toEqual([{ feature: "cheapest", cells: [10] }]);
  });
});

describe("intervals", () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await startRig();
  });
  afterAll(() => rig.stop());

  it.each([
    ["has not ended yet", noon + every],
    ["lies in another year", Date.parse("2027-01-01T00:00:00Z")],
    ["is not aligned", noon - 1],
  ])("refuses one that %s", async (_, end) => {
    const bench = await rig.bench("future");
    await bench.land([{ id: 1, shop: "oslo", amount: 10 }]);
    await expect(bench.run(end)).rejects.toMatchObject({ code: "BAD_INTERVAL" });
  });

  it("writes the lake and publishes nothing for one before the published", async () => {
    const bench = await rig.bench("backfill");
    await bench.land([
      { id: 1, shop: "oslo", amount: 10, at: "2026-03-01 11:00:00" },
      { id: 2, shop: "oslo", amount: 5, at: "2026-03-01 11:50:00" },
    ]);
    await bench.run(noon);
    const published = await bench.published();
    const old = await bench.run(noon - every);
    expect(old).toMatchObject({ phase: "published", counts: { rows: 1, published: 0 } });
    expect(await bench.published()).toEqual(published);
    expect(await bench.ports.ledger.published("backfill")).toMatchObject({ intervalEndMs: noon });
    const file = bench.ports.lake.absolute("features/backfill/backfill/2026-03-01T114500.000Z/rows.parquet");
    const rows: unknown[] = [];
    for await (const batch of bench.engine.stream(`SELECT _key, revenue FROM read_parquet('${file}')`))
      rows.push(...batch.columns);
    expect(rows).toEqual([["oslo"], [10]]);
    // And it silences nothing: the next forward run publishes.
    await bench.land([{ id: 1, shop: "oslo", amount: 99 }]);
    expect((await bench.run(noon)).counts).toMatchObject({ updated: 1, published: 1 });
  });

  it("gives a rerun with late input a greater run number at the same event time", async () => {
    const bench = await rig.bench("rerun");
    await bench.land([{ id: 1, shop: "oslo", amount: 10 }]);
    const first = await bench.run(noon);
    await bench.land([
      { id: 1, shop: "oslo", amount: 10 },
      { id: 2, shop: "oslo", amount: 7 },
    ]);
    const second = await bench.run(noon);
    expect(second.run).toBeGreaterThan(first.run);
    expect(serve(await bench.published())).toEqual({ oslo: { orders: 2, revenue: 17, best: 10 } });
    expect(serve([...(await bench.published())].reverse())).toEqual({ oslo: { orders: 2, revenue: 17, best: 10 } });
  });
});
