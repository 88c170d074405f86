import { partitionOf } from "@tributary/shared/contracts/entity-key";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { catalogOf, every, noon } from "./definitions.ts";
import { heldBy, rowsPublished, serve } from "./naive-store.ts";
import { type Bench, type Rig, type RunnerOptions, type Sale, startRig } from "./rig.ts";

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.stop());

/** The clock stands at noon. */
const start = noon - 3 * every;
let asked = 0;

/** What it adds to the stream. */
async function republish(bench: Bench, options: RunnerOptions & { readonly view?: Bench["view"] } = {}) {
  const before = await bench.published();
  const { view = bench.view, ...runner } = options;
  const job = { catalog: catalogOf(view), view, request: `request-${++asked}` };
  await bench.work({ kind: "republish", republish: job }, runner);
  const after = await bench.published();
  return { before, chunks: after.slice(before.length) };
}

const shops = ["oslo", "rome", "bern", "kyiv", "lima", "nuuk"];
const sold = (amounts: readonly (number | null)[]): Sale[] =>
  amounts.flatMap((amount, id) => (amount === 0 ? [] : [{ id, shop: shops[id] ?? "", amount }]));

/** Four runs, the last two of one interval: cells of one key differ in their versions, one key is gone, one came late, one has NULLs. */
async function someRuns(bench: Bench): Promise<void> {
  const runs = [
    { at: 0, sales: sold([10, 20, 30, null, 50, 0]) },
    { at: 1, sales: [...sold([11, 20, 0, null, 50, 60]), second("lima")] },
    { at: 2, sales: [...sold([11, 25, 0, null, 50, 65]), second("lima")] },
    { at: 2, sales: lastSales },
  ];
  for (const { at, sales } of runs) {
    await bench.land(sales);
    await bench.run(start + at * every);
  }
}

const second = (shop: string): Sale => ({ id: shop.length + shop.charCodeAt(0), shop, amount: 1 });
const lastSales = [...sold([11, 25, 0, null, 50, 65]), second("lima"), second("nuuk")];

describe("a republish of a batch view", () => {
  it("sends every cell with the version it had, tombstones too, and nothing that a store has not", async () => {
    const bench = await rig.bench("again");
    await someRuns(bench);
    const { before, chunks } = await republish(bench);
    expect(heldBy(chunks)).toEqual(heldBy(before));
    expect(serve(chunks)).toMatchObject({ lima: { orders: 2, best: 50 }, kyiv: { revenue: null } });
    expect(serve(chunks)).not.toHaveProperty("bern");
    // Of four keys the cells have two versions.
    expect(rowsPublished(chunks)).toBe(shops.length + 4);
    for (const chunk of chunks) expect(chunk).toMatchObject({ viewVersion: 1, catalogVersion: 7, lane: "batch" });
  });

  it("says behind each partition's rows that it is whole, and where they began", async () => {
    const bench = await rig.bench("whole");
    await someRuns(bench);
    // A key that is withheld leaves its partition unconfirmed.
    const sql = bench.view.sql.replace(
      "max(amount)",
      "case when shop = 'oslo' then 'nan'::double else max(amount) end",
    );
    await bench.run(start + 3 * every, { catalog: catalogOf({ ...bench.view, sql }) });
    const first = (await bench.published()).length;
    const { chunks } = await republish(bench);
    const whole = chunks.flatMap((chunk) => (chunk.kind === "confirm" ? [chunk] : []));
    expect(chunks.slice(-whole.length)).toEqual(whole);
    expect(whole.map(({ partition }) => partition)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    const withheld = partitionOf("oslo", 8);
    const used = new Set(shops.map((shop) => partitionOf(shop, 8)));
    for (const { partition, confirmedAtMs, whole: isWhole, since } of whole) {
      expect(isWhole).toBe(true);
      expect(confirmedAtMs).toBe(partition === withheld ? 0 : start + 3 * every);
      expect(since === undefined).toBe(!used.has(partition));
    }
    const rows = chunks.flatMap((chunk, i) => (chunk.kind === "rows" ? [{ partition: chunk.partition, at: i }] : []));
    const begins = new Map(rows.toReversed().map(({ partition, at }) => [partition, at]));
    const offsets = whole.flatMap(({ partition, since }) =>
      since === undefined ? [] : [since - (begins.get(partition) ?? 0)],
    );
    // The stream holds other tests' views as well: all begin at one distance.
    expect(new Set(offsets).size).toBe(1);
    expect(offsets[0]).toBeGreaterThan(first);
  });

  it("changes nothing for the runs: the next one publishes what differs and no more", async () => {
    const bench = await rig.bench("next");
    await someRuns(bench);
    await republish(bench);
    const rerun = await bench.run(start + 2 * every);
    expect(rerun).toMatchObject({ phase: "published", counts: { published: 0, unchanged: 5 } });
    await bench.land(lastSales.map((sale) => (sale.shop === "rome" ? { ...sale, amount: 26 } : sale)));
    expect((await bench.run(start + 3 * every)).counts).toMatchObject({ published: 1, unchanged: 4 });
  });

  it("finishes first what a killed runner has staged", async () => {
    const bench = await rig.bench("staged");
    await bench.land(sold([10, 20, 0, 0, 0, 0]));
    await bench.run(start);
    await bench.land(sold([10, 25, 0, 0, 0, 0]));
    await bench.runUntil("staged", 1, start + every);
    await rig.expireLease("staged");
    const { chunks } = await republish(bench, { instance: "runner-2" });
    expect(serve(chunks)).toMatchObject({ oslo: { revenue: 10 }, rome: { revenue: 25 } });
    expect((await bench.ports.ledger.published("staged"))?.intervalEndMs).toBe(start + every);
    const whole = chunks.filter((chunk) => chunk.kind === "confirm" && chunk.whole);
    expect(whole).toHaveLength(8);
  });

  it("of a view that was never published says that nothing is missing, and confirms nothing", async () => {
    const bench = await rig.bench("never");
    const { chunks } = await republish(bench);
    expect(chunks).toHaveLength(8);
    for (const chunk of chunks) expect(chunk).toMatchObject({ kind: "confirm", confirmedAtMs: 0, whole: true });
    expect(chunks.some((chunk) => "since" in chunk)).toBe(false);
  });

  it("of a view whose version of today was not published yet sends the one before, and both are whole", async () => {
    const bench = await rig.bench("newer");
    await someRuns(bench);
    const { before, chunks } = await republish(bench, { view: { ...bench.view, version: 2 } });
    expect(heldBy(chunks)).toEqual(heldBy(before));
    const whole = chunks.flatMap((chunk) =>
      chunk.kind === "confirm" ? [[chunk.viewVersion, chunk.confirmedAtMs]] : [],
    );
    expect(whole).toEqual([...Array(8).fill([1, start + 2 * every]), ...Array(8).fill([2, 0])]);
  });

  it("that ends in the middle calls nothing whole, and is done when it is asked for again", async () => {
    const bench = await rig.bench("killed");
    await someRuns(bench);
    let chunks = 0;
    const onStep = (step: string): void => {
      if (step === "chunk" && ++chunks === 3) throw new Error("killed");
    };
    const before = (await bench.published()).length;
    await expect(republish(bench, { onStep })).rejects.toThrow("killed");
    const half = (await bench.published()).slice(before);
    expect(half.every((chunk) => chunk.kind === "rows")).toBe(true);
    const { before: all, chunks: again } = await republish(bench);
    expect(heldBy(again)).toEqual(heldBy(all));
    expect(again.filter((chunk) => chunk.kind === "confirm")).toHaveLength(8);
  });

  it("refuses a snapshot that is not the one its manifest describes", async () => {
    const bench = await rig.bench("damaged");
    await someRuns(bench);
    const { run } = (await bench.ports.ledger.published("damaged")) ?? { run: 0 };
    await bench.engine.writeParquet("SELECT 1 AS x", `${bench.lake}/features/damaged/snapshots/${run}/rows.parquet`);
    await expect(republish(bench)).rejects.toMatchObject({ code: "CORRUPT" });
  });
});
