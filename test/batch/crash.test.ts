import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunStep } from "../../services/batch-runner/src/handlers/run-ports.ts";
import { every, noon } from "./definitions.ts";
import { serve } from "./naive-store.ts";
import { type Bench, type Rig, type Sale, startRig } from "./rig.ts";

/** Enough shops that a run has several chunks. */
const shops = Array.from({ length: 40 }, (_, i) => `shop-${i}`);
const before: readonly Sale[] = shops.map((shop, id) => ({ id, shop, amount: id }));
/** Changes some, removes some, adds some. */
const after: readonly Sale[] = [
  ...before.slice(5).map((sale) => (sale.id % 3 === 0 ? { ...sale, amount: 1_000 + sale.id } : sale)),
  { id: 100, shop: "new", amount: 5 },
];
/** A late file: what the killed run had computed is not true any more. */
const late: readonly Sale[] = before.map((sale) => ({ ...sale, amount: sale.id % 3 === 0 ? sale.id : 7 }));

const unstaged: readonly RunStep[] = ["begun", "refined", "computed", "compared"];
const staged: readonly RunStep[] = ["staged", "chunk", "published", "confirm", "confirmed"];
const committed: readonly RunStep[] = ["committed"];

describe("a runner that is killed", () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await startRig();
  });
  afterAll(() => rig.stop());

  /** The next run of the same runner, on the same interval and on the next, leaves exactly the truth and then nothing to do. */
  async function expectTruth(bench: Bench, truth: readonly Sale[]): Promise<void> {
    await bench.run(noon);
    expect(serve(await bench.published())).toEqual(fullRefresh(truth));
    const { length } = await bench.published();
    expect(await bench.run(noon)).toMatchObject({ phase: "published", counts: { published: 0 } });
    expect(await bench.published()).toHaveLength(length);
  }

  it.each([...unstaged, ...staged, ...committed])(
    "at %s with the same input: the next run ends at a full refresh",
    async (step) => {
      const bench = await rig.bench(`same_${step}`);
      await bench.land(before);
      await bench.run(noon - every);
      await bench.land(after);
      await bench.runUntil(step);
      await expectTruth(bench, after);
    },
  );

  it.each([...unstaged, ...staged, ...committed])(
    "at %s, then the input changes: the next run ends at a full refresh",
    async (step) => {
      const bench = await rig.bench(`late_${step}`);
      await bench.land(before);
      await bench.run(noon - every);
      await bench.land(after);
      await bench.runUntil(step, step === "chunk" ? 3 : 1);
      await bench.land(late);
      await expectTruth(bench, late);
    },
  );

  it.each(staged)(
    "at %s: the staged run is finished from its stage, with its own number and the same rows",
    async (step) => {
      const bench = await rig.bench(`finish_${step}`);
      await bench.land(before);
      await bench.runUntil(step);
      const staged = await bench.ports.ledger.staged(bench.view.name);
      expect(staged).toBeDefined();
      await bench.land(late);
      await bench.resume();
      expect(serve(await bench.published())).toEqual(fullRefresh(before));
      expect(await bench.ports.ledger.published(bench.view.name)).toMatchObject({
        run: staged?.run,
        intervalEndMs: noon,
      });
      const ids = (await bench.published()).map((chunk) => [chunk.run?.number, chunk.partition]);
      expect(new Set(ids.map(([run]) => run))).toEqual(new Set([staged?.run]));
    },
  );

  it("twice in a row loses nothing", async () => {
    const bench = await rig.bench("twice");
    await bench.land(before);
    await bench.runUntil("chunk", 2);
    await bench.land(after);
    await bench.runUntil("published");
    await bench.land(late);
    await expectTruth(bench, late);
  });

  it("leaves no files behind that no run needs", async () => {
    const bench = await rig.bench("tidy");
    for (const [i, rows] of [before, after, late, before].entries()) {
      await bench.land(rows);
      await bench.runUntil(i % 2 ? "compared" : "confirm", 1, noon - 4 * every + i * every);
    }
    await bench.run(noon);
    const { lake } = bench.ports;
    expect(await lake.list("stage/tidy")).toEqual([]);
    expect((await lake.list("features/tidy/snapshots")).length).toBeLessThanOrEqual(2);
    expect((await lake.list("refined/sales")).filter((name) => /^[0-9a-f]{16}$/.test(name)).length).toBeLessThanOrEqual(
      2,
    );
  });

  it("after the stage's files were damaged refuses loudly and keeps the staged run", async () => {
    const bench = await rig.bench("damaged");
    await bench.land(before);
    await bench.runUntil("staged");
    const staged = await bench.ports.ledger.staged("damaged");
    await bench.ports.lake.remove(`stage/damaged/${staged?.run}/delta.parquet`);
    await expect(bench.run()).rejects.toMatchObject({
      code: "CORRUPT",
      message: expect.stringContaining("delta.parquet"),
    });
    expect(await bench.ports.ledger.staged("damaged")).toEqual(staged);
  });
});

describe("two runners", () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await startRig();
  });
  afterAll(() => rig.stop());

  it("refuses the second while the first holds the view", async () => {
    const bench = await rig.bench("held");
    await bench.land(before);
    await bench.runUntil("computed");
    await expect(bench.run(noon, { instance: "runner-2" })).rejects.toMatchObject({ code: "RUN_CONFLICT" });
  });

  it("lets one that woke up after comparing change nothing: another has published an interval in between", async () => {
    const bench = await rig.bench("zombie");
    await bench.land(before);
    await bench.run(noon - 2 * every);
    await bench.land(after);
    const zombie = await pausedRun(bench, "compared", noon - every);
    await rig.expireLease("zombie");
    await bench.land(late);
    await bench.run(noon, { instance: "runner-2" });
    const published = await bench.published();
    await expect(zombie.wakeUp()).rejects.toMatchObject({ code: expect.stringMatching(/FENCED|RUN_CONFLICT/) });
    expect(await bench.published()).toHaveLength(published.length);
    await expectServed(bench, late);
  });

  it("lets one that woke up while publishing send nothing newer, and not commit", async () => {
    const bench = await rig.bench("zombie_publishing");
    await bench.land(before);
    const zombie = await pausedRun(bench, "chunk", noon - every);
    await rig.expireLease("zombie_publishing");
    await bench.land(late);
    await bench.run(noon, { instance: "runner-2" });
    await expect(zombie.wakeUp()).rejects.toMatchObject({
      code: expect.stringMatching(/FENCED|RUN_CONFLICT|CORRUPT|UNAVAILABLE/),
    });
    await expectServed(bench, late);
    expect(await bench.ports.ledger.published("zombie_publishing")).toMatchObject({ intervalEndMs: noon });
  });

  async function expectServed(bench: Bench, truth: readonly Sale[]): Promise<void> {
    expect(serve(await bench.published())).toEqual(fullRefresh(truth));
    expect(await bench.run(noon)).toMatchObject({ counts: { published: 0 } });
  }
});

/** A run that stands at a step until it is woken up. */
async function pausedRun(bench: Bench, step: RunStep, intervalEndMs: number) {
  let wake: (() => void) | undefined;
  let stands: (() => void) | undefined;
  const standing = new Promise<void>((resolve) => {
    stands = resolve;
  });
  const onStep = (at: RunStep): void | Promise<void> => {
    if (at !== step || wake !== undefined) return;
    stands?.();
    return new Promise((resolve) => {
      wake = resolve;
    });
  };
  const run = bench.run(intervalEndMs, { onStep });
  run.catch(() => undefined);
  await Promise.race([standing, run]);
  return {
    wakeUp: () => {
      wake?.();
      return run;
    },
  };
}

/** What a computation from nothing would serve; sums in whole numbers, so that no tolerance hides anything. */
function fullRefresh(rows: readonly Sale[]) {
  const served: Record<string, { orders: number; revenue: number; best: number }> = {};
  for (const { shop, amount } of rows) {
    const row = served[shop ?? ""] ?? { orders: 0, revenue: 0, best: Number.NEGATIVE_INFINITY };
    served[shop ?? ""] = {
      orders: row.orders + 1,
      revenue: row.revenue + (amount ?? 0),
      best: Math.max(row.best, amount ?? 0),
    };
  }
  return served;
}
