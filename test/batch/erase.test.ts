import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Erasure, erasureKey, liftKey } from "@tributary/shared/contracts/erasure";
import { openBucket } from "@tributary/shared/messaging/bucket";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runManifestSchema } from "../../services/batch-runner/src/core/run-manifest.ts";
import { literal } from "../../services/batch-runner/src/core/sql-text.ts";
import { EntityViews } from "../../services/batch-runner/src/handlers/entity-views.ts";
import type { RunStep } from "../../services/batch-runner/src/handlers/run-ports.ts";
import { verifyErasure } from "../../services/batch-runner/src/handlers/verify-erasure.ts";
import { catalogOf, every, noon } from "./definitions.ts";
import { serve } from "./naive-store.ts";
import { type Bench, type Rig, type RunnerOptions, type Sale, startRig } from "./rig.ts";

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig?.stop());

const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

/** Erasures are of all benches, so each has a key of its own. */
async function ask(id: string, key: string, eventTime: number): Promise<Erasure> {
  const erasure: Erasure = { format: 1, id, entity: "shop", key, eventTime, requestedAtMs: Date.now() };
  await (await openBucket(rig.admin, "TRIB_ERASURES")).create(erasureKey(id), json(erasure));
  return erasure;
}

const lift = async (id: string) =>
  (await openBucket(rig.admin, "TRIB_ERASURES")).create(liftKey(id), json({ format: 1, id, atMs: Date.now() }));

const salesOf = (...shops: readonly string[]): Sale[] => shops.map((shop, id) => ({ id, shop, amount: 10 + id }));

const purge = (bench: Bench, erasures: readonly Erasure[], options?: RunnerOptions) =>
  bench.work({ kind: "purge", view: bench.view.name, erasures }, options);

/** Files that hold rows of the key, as the runner itself finds them. */
async function check(bench: Bench, id: string) {
  const catalog = catalogOf(bench.view);
  const view = { current: { ...catalog, version: 1 } } as unknown as ConstructorParameters<typeof EntityViews>[0];
  return verifyErasure(bench.ports, new EntityViews(view, bench.ports.logger), json({ id }));
}

/** Files under the lake's features and stages of the view with the key's bytes in them, whatever they are. */
function filesNaming(bench: Bench, key: string): string[] {
  const roots = [`features/${bench.view.name}`, `stage/${bench.view.name}`]
    .map((root) => join(bench.lake, root))
    .filter(existsSync);
  const files = roots.flatMap((root) =>
    readdirSync(root, { recursive: true, withFileTypes: true }).map((one) => ({ one, root })),
  );
  return files
    .filter(({ one }) => one.isFile())
    .map(({ one }) => join(one.parentPath, one.name))
    .filter((path) => readFileSync(path).includes(key));
}

async function manifestOf({ ports, view }: Bench) {
  const published = await ports.ledger.published(view.name);
  const path = `features/${view.name}/snapshots/${published?.run}/manifest.json`;
  return runManifestSchema.parse(JSON.parse(readFileSync(join(ports.lake.root, path), "utf8")));
}

/** The published snapshot, row by row, as text by key. */
async function snapshotOf(bench: Bench): Promise<Record<string, string>> {
  const { snapshot } = await manifestOf(bench);
  await bench.ports.lake.verify(snapshot);
  const rows: Record<string, string> = {};
  const file = literal(join(bench.lake, snapshot.path));
  for await (const { columns } of bench.engine.stream(`SELECT _key, s::VARCHAR FROM read_parquet(${file}) s`)) {
    for (const [i, key] of (columns[0] ?? []).entries()) rows[String(key)] = String(columns[1]?.[i]);
  }
  expect(Object.keys(rows)).toHaveLength(snapshot.rows);
  return rows;
}

async function without(bench: Bench, ...keys: readonly string[]): Promise<Record<string, string>> {
  const rows = await snapshotOf(bench);
  for (const key of keys) expect(rows).toHaveProperty([key]);
  return Object.fromEntries(Object.entries(rows).filter(([key]) => !keys.includes(key)));
}

/** A purge that stops for ever at a step; resolves when it stands there. */
function purgeUntil(bench: Bench, erasures: readonly Erasure[], step: RunStep): Promise<void> {
  return new Promise((resolve, reject) => {
    const onStep = (at: RunStep): void | Promise<void> => {
      if (at !== step) return;
      resolve();
      return new Promise(() => undefined);
    };
    purge(bench, erasures, { onStep }).then(() => reject(new Error(`never came to ${step}`)), reject);
  });
}

describe("an erased key", () => {
  it("is in no file of its views any more; every other row stands as it stood", async () => {
    const bench = await rig.bench("purged");
    await bench.land(salesOf("erik-everywhere", "b", "c"));
    await bench.run(noon - 3 * every);
    await bench.run(noon - 2 * every);
    await bench.land(salesOf("erik-everywhere", "b", "c", "d"));
    await bench.run(noon - every);
    await bench.run(noon - 2 * every);
    const erasure = await ask("everywhere", "erik-everywhere", noon + 60_000);
    expect((await check(bench, erasure.id)).residual).toHaveLength(3);
    expect(filesNaming(bench, "erik-everywhere")).toHaveLength(3);
    const left = await without(bench, "erik-everywhere");
    const published = (await bench.published()).length;
    await purge(bench, [erasure]);
    expect(await snapshotOf(bench)).toEqual(left);
    expect(filesNaming(bench, "erik-everywhere")).toEqual([]);
    expect(await check(bench, erasure.id)).toEqual({ id: erasure.id, files: 2, residual: [] });
    expect(await bench.published()).toHaveLength(published);
    const { snapshot } = await manifestOf(bench);
    await purge(bench, [erasure]);
    expect((await manifestOf(bench)).snapshot).toEqual(snapshot);
  });

  it("is kept out of later runs, counted, and neither withdrawn nor taken for a deletion", async () => {
    const bench = await rig.bench("kept_out");
    const view = { ...bench.view, deleteShareMax: 0 };
    const run = (at: number) => bench.run(at, { catalog: catalogOf(view) });
    await bench.land(salesOf("kim-kept-out", "b"));
    await run(noon - 2 * every);
    // Not purged yet: the run leaves it out all the same.
    await ask("kept", "kim-kept-out", noon - 2 * every + 60_000);
    const before = (await bench.published()).length;
    expect(await run(noon - every)).toMatchObject({
      counts: { rows: 1, unchanged: 1, deleted: 0, published: 0, erased: 1 },
    });
    expect(Object.keys(await snapshotOf(bench))).toEqual(["b"]);
    await bench.land(salesOf("kim-kept-out", "b", "c"));
    expect(await run(noon)).toMatchObject({ counts: { rows: 2, inserted: 1, published: 1, erased: 1 } });
    const rows = (await bench.published()).slice(before).filter((chunk) => chunk.kind === "rows");
    expect(rows.flatMap((chunk) => chunk.keys)).toEqual(["c"]);
  });

  it("stands in no file of a run either, and does not hold its partition back", async () => {
    const bench = await rig.bench("in_progress");
    const key = "nina-in-progress";
    // Twice, so that it would be withheld.
    await bench.land([...salesOf("b", key), { id: 8, shop: key, amount: 1 }]);
    const sql = "select shop as code, 1 as orders, amount as revenue, amount as best from sales";
    const catalog = catalogOf({ ...bench.view, sql });
    const named: Partial<Record<RunStep, number>> = {};
    const onStep = (at: RunStep) => {
      if (at === "computed" || at === "confirmed") named[at] = filesNaming(bench, key).length;
    };
    expect(await bench.run(noon - every, { catalog, onStep })).toMatchObject({ counts: { withheld: 2 } });
    expect([named.computed, (await manifestOf(bench)).confirm.length]).toEqual([1, 7]);
    await ask("progress", key, noon + 60_000);
    expect(await bench.run(noon, { catalog, onStep })).toMatchObject({ counts: { withheld: 0, erased: 2 } });
    expect(named).toEqual({ computed: 0, confirmed: 0 });
    expect((await manifestOf(bench)).confirm).toHaveLength(8);
  });

  it("comes back by a lift, but only above what the erasure covers", async () => {
    const bench = await rig.bench("lifted");
    await bench.land(salesOf("lena-lifted", "b"));
    await bench.run(noon - 2 * every);
    const erasure = await ask("lifted", "lena-lifted", noon - 2 * every + 60_000);
    await purge(bench, [erasure]);
    await lift("lifted");
    expect(await bench.run(noon - 2 * every)).toMatchObject({ counts: { published: 0, erased: 1 } });
    expect(await bench.run(noon - every)).toMatchObject({ counts: { inserted: 1, unchanged: 1, published: 1 } });
    const back = (await bench.published()).filter((chunk) => chunk.kind === "rows").at(-1);
    expect([back?.keys, back?.eventTimes]).toEqual([["lena-lifted"], [noon - every]]);
    // What came back stays, also when the erasure is carried out again.
    const rows = await snapshotOf(bench);
    await purge(bench, [erasure]);
    expect(await snapshotOf(bench)).toEqual(rows);
    expect((await check(bench, "lifted")).residual).toEqual([]);
    expect(await bench.run(noon)).toMatchObject({ counts: { unchanged: 2, published: 0 } });
  });

  it("that is lifted before it was purged is published anew", async () => {
    const bench = await rig.bench("lifted_early");
    await bench.land(salesOf("lars-early", "b"));
    await bench.run(noon - every);
    await ask("early", "lars-early", noon - every + 60_000);
    await lift("early");
    expect(await bench.run(noon)).toMatchObject({ counts: { inserted: 1, unchanged: 1, published: 1 } });
  });
});

describe("a purge that is killed", () => {
  it.each(["rewritten", "swapped"] as const)("at %s leaves a whole snapshot, and is done again", async (step) => {
    const bench = await rig.bench(`killed_${step}`);
    const key = `karl-${step}`;
    await bench.land(salesOf(key, "b", "c"));
    await bench.run(noon - every);
    const left = await without(bench, key);
    const erasure = await ask(`killed-${step}`, key, noon + 60_000);
    await purgeUntil(bench, [erasure], step);
    const rows = await snapshotOf(bench);
    expect(Object.keys(rows).sort()).toEqual(step === "rewritten" ? ["b", "c", key].sort() : ["b", "c"]);
    await purge(bench, [erasure]);
    expect(await snapshotOf(bench)).toEqual(left);
    expect(filesNaming(bench, key)).toEqual([]);
    expect(readdirSync(join(bench.lake, "features", bench.view.name, "snapshots"))).toHaveLength(1);
    expect(await bench.run(noon)).toMatchObject({ counts: { unchanged: 2, published: 0, erased: 1 } });
  });

  it("behind the manifest and before the old file is removed leaves that file to the next", async () => {
    const bench = await rig.bench("killed_between");
    await bench.land(salesOf("kurt-between", "b"));
    await bench.run(noon);
    const old = join(bench.lake, (await manifestOf(bench)).snapshot.path);
    const erasure = await ask("between", "kurt-between", noon + 60_000);
    const bytes = readFileSync(old);
    await purge(bench, [erasure]);
    writeFileSync(old, bytes);
    expect((await check(bench, "between")).residual).toHaveLength(1);
    await purge(bench, [erasure]);
    expect((await check(bench, "between")).residual).toEqual([]);
    expect(filesNaming(bench, "kurt-between")).toEqual([]);
    expect(Object.keys(await snapshotOf(bench))).toEqual(["b"]);
  });

  it.each(["staged", "chunk", "confirmed", "committed"] as const)(
    "and a run that was killed at %s: its stage is finished, then there is nothing of the key",
    async (step) => {
      const bench = await rig.bench(`staged_${step}`);
      const key = `sten-${step}`;
      await bench.land(salesOf(key, "b", "c"));
      await bench.runUntil(step);
      const erasure = await ask(`staged-${step}`, key, noon + 60_000);
      await purge(bench, [erasure]);
      expect(await bench.ports.ledger.staged(bench.view.name)).toBeUndefined();
      expect(Object.keys(serve(await bench.published())).sort()).toEqual(["b", "c", key].sort());
      expect(Object.keys(await snapshotOf(bench)).sort()).toEqual(["b", "c"]);
      expect(filesNaming(bench, key)).toEqual([]);
    },
  );
});

describe("two runners", () => {
  it("wait for each other: a run that began before the erasure ends before the purge", async () => {
    const bench = await rig.bench("in_flight");
    await bench.land(salesOf("frida-in-flight", "b"));
    let goOn = () => {};
    const going = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    let stands = () => {};
    const standing = new Promise<void>((resolve) => {
      stands = resolve;
    });
    const onStep = async (at: RunStep): Promise<void> => {
      if (at !== "compared") return;
      stands();
      await going;
    };
    const run = bench.run(noon, { onStep });
    await standing;
    const erasure = await ask("in-flight", "frida-in-flight", noon + 60_000);
    await expect(purge(bench, [erasure], { instance: "runner-2" })).rejects.toMatchObject({ code: "RUN_CONFLICT" });
    goOn();
    await run;
    await purge(bench, [erasure], { instance: "runner-2" });
    expect(Object.keys(await snapshotOf(bench))).toEqual(["b"]);
  });

  it("let one that slept through the other's purge change nothing", async () => {
    const bench = await rig.bench("asleep");
    await bench.land(salesOf("ada-asleep", "bo-asleep", "c"));
    await bench.run(noon - every);
    const first = await ask("asleep-1", "ada-asleep", noon + 60_000);
    let wake = () => {};
    const sleeping = new Promise<void>((resolve) => {
      wake = resolve;
    });
    let stands = () => {};
    const standing = new Promise<void>((resolve) => {
      stands = resolve;
    });
    const onStep = async (at: RunStep): Promise<void> => {
      if (at !== "rewritten") return;
      stands();
      await sleeping;
    };
    const slow = purge(bench, [first], { onStep });
    slow.catch(() => undefined);
    await standing;
    await rig.expireLease(bench.view.name);
    const second = await ask("asleep-2", "bo-asleep", noon + 60_000);
    await purge(bench, [first, second], { instance: "runner-2" });
    const rows = await snapshotOf(bench);
    expect(Object.keys(rows)).toEqual(["c"]);
    wake();
    await expect(slow).rejects.toMatchObject({ code: "FENCED" });
    expect(await snapshotOf(bench)).toEqual(rows);
    expect(filesNaming(bench, "bo-asleep")).toEqual([]);
  });
});
