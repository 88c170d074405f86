import { mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { ensureEnvironment } from "@tributary/cli/admin/ensure";
import { applyCatalog } from "@tributary/cli/catalog/apply";
import { startServers } from "@tributary/local/servers";
import type { BatchView, CatalogBody, DirectView } from "@tributary/shared/contracts/catalog";
import type { BatchRepublishReply } from "@tributary/shared/contracts/republish";
import type { BatchRunReply, BatchRunStatus, BatchStatus } from "@tributary/shared/contracts/status";
import { subjects } from "@tributary/shared/contracts/subjects";
import { openBucket } from "@tributary/shared/messaging/bucket";
import { openConnection } from "@tributary/shared/messaging/connection";
import type { Connection } from "@tributary/shared/messaging/contract";
import { request } from "@tributary/shared/messaging/request";
import { setClock } from "@tributary/shared/runtime/clock-client";
import { readConfig } from "@tributary/shared/runtime/config";
import { createLogger } from "@tributary/shared/runtime/logger";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDatabase } from "../../services/batch-runner/src/adapters/database.ts";
import { openDuckDb } from "../../services/batch-runner/src/adapters/duckdb-engine.ts";
import { openLedger } from "../../services/batch-runner/src/adapters/ledger.ts";
import { options } from "../../services/batch-runner/src/config.ts";
import { startBatchRunner } from "../../services/batch-runner/src/service.ts";
import { type Mesh, startMesh } from "../support/mesh.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { until } from "../support/until.ts";
import { catalogOf, every, noon, shopSales } from "./definitions.ts";
import { rowsPublished } from "./naive-store.ts";
import { readPublished, salesQuery } from "./rig.ts";

const endless: BatchView = {
  ...shopSales,
  name: "endless",
  sql: "select 'a' as code, count(*) as orders, 1 as revenue, sum(r.range * 7 % 3) as best from range(1000000000000) r",
};
const wide: BatchView = {
  ...shopSales,
  name: "wide",
  sql: "select 'shop-' || range as code, range as orders, 1 as revenue, 2 as best from range(20000)",
};
const manual: DirectView = {
  lane: "direct",
  name: "manual",
  version: 1,
  entity: "shop",
  features: shopSales.features,
  freshnessMs: 1_000,
  ttlMs: null,
  producers: [],
};

function body(): CatalogBody {
  const { version: _version, fingerprint: _fingerprint, ...catalog } = catalogOf();
  return { ...catalog, views: { ...catalog.views, endless, wide, manual } };
}

async function land(lake: string): Promise<void> {
  const temporaryDirectory = join(lake, "temporary/test");
  const engine = await openDuckDb({ memoryMb: 128, threads: 1, temporaryMb: 128, temporaryDirectory });
  await mkdir(join(lake, "raw/sales"), { recursive: true });
  await engine.writeParquet(salesQuery([{ id: 1, shop: "oslo", amount: 10 }]), join(lake, "raw/sales/sales.parquet"));
  engine.close();
}

describe("the batch-runner as a process", () => {
  let mesh: Mesh;
  let admin: Connection;
  let lake: string;
  beforeAll(async () => {
    mesh = await startMesh({
      need: ["nats", "postgres"],
      services: ["batch-runner"],
      environment: { BATCH_SCHEDULE: "off", BATCH_RETRY_MS: "200" },
    });
    lake = join(mesh.servers.directory, "lake");
    admin = await openConnection({ url: mesh.servers.nats.url("admin"), name: "test" });
    await setTime(noon);
    await applyCatalog({
      body: body(),
      natsUrl: mesh.servers.nats.url("admin"),
      databaseUrl: mesh.servers.postgres.url,
    });
    await land(lake);
    await until(async () => (await status()).catalogVersion === 1, { what: "the runner has seen the catalog" });
  });
  afterAll(async () => {
    await admin.close();
    await mesh.stop();
  });

  async function setTime(simulatedMs: number): Promise<void> {
    await setClock(await openBucket(admin, "TRIB_CLOCK"), { simulatedMs, realMs: Date.now(), rate: 0 });
  }
  const ask = async <T>(subject: string, value: unknown): Promise<T> => {
    const bytes = new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
    return JSON.parse(new TextDecoder().decode(await request(admin, subject, bytes))) as T;
  };
  const run = (value: unknown) => ask<BatchRunReply>(subjects.batchRun, value);
  const status = (view?: string) => ask<BatchStatus>(subjects.batchStatus, view === undefined ? {} : { view });
  const ended = ({ request: id, view }: Pick<BatchRunReply, "request" | "view">): Promise<BatchRunStatus> =>
    until(async () => (await status(view)).runs.find((one) => one.request === id && one.finishedAtMs !== undefined), {
      what: `the run of ${view} ended`,
    });

  it("accepts a run at once, of the latest interval, and tells what became of it", async () => {
    const reply = await run({ view: "shop_sales" });
    expect(reply).toMatchObject({ accepted: true, view: "shop_sales", intervalEndMs: noon });
    expect(await ended(reply)).toMatchObject({ phase: "published", counts: { inserted: 1, published: 1 } });
    const again = await ended(await run({ view: "shop_sales", intervalEndMs: noon }));
    expect(again).toMatchObject({ phase: "published", counts: { unchanged: 1, published: 0 } });
  });

  it("accepts a republish at once, and tells under its request what became of it", async () => {
    await ended(await run({ view: "shop_sales" }));
    const republish = (view: string) => ask<BatchRepublishReply>(subjects.batchRepublish, { view });
    const reply = await republish("shop_sales");
    expect(reply).toMatchObject({ accepted: true, view: "shop_sales" });
    const counts = { rows: 1, published: 1 };
    expect(await ended(reply)).toMatchObject({ kind: "republish", phase: "published", run: 0, counts });
    expect(await ended(await republish("endless"))).toMatchObject({ kind: "republish", isUnpublished: true });
    await expect(republish("nope")).rejects.toMatchObject({ code: "UNKNOWN_VIEW" });
    await expect(republish("manual")).rejects.toMatchObject({ code: "WRONG_LANE" });
    await expect(ask(subjects.batchRepublish, {})).rejects.toMatchObject({ code: "MALFORMED" });
  });

  it.each([
    ["an unknown view", { view: "nope" }, "UNKNOWN_VIEW", '"nope"'],
    ["a view of another lane", { view: "manual" }, "WRONG_LANE", 'view "manual" is of the direct lane'],
    [
      "an interval that has not ended",
      { view: "shop_sales", intervalEndMs: noon + every },
      "BAD_INTERVAL",
      "has not ended yet",
    ],
    [
      "an interval that is not aligned",
      { view: "shop_sales", intervalEndMs: noon - 1 },
      "BAD_INTERVAL",
      "multiple of 900000 ms",
    ],
    ["a request of another shape", { views: "x" }, "MALFORMED", "{ view, intervalEndMs? }"],
    ["no JSON", "{", "MALFORMED", ""],
  ])("refuses %s", async (_, value, code, message) => {
    await expect(run(value)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });

  it("says what is wrong with a run's input, and goes on", async () => {
    const file = join(lake, "raw/sales/sales.parquet");
    await rename(file, `${file}.away`);
    expect(await ended(await run({ view: "shop_sales" }))).toMatchObject({
      phase: "failed",
      error: { code: "BAD_SOURCE", message: 'source "sales": no file matches "raw/sales/*.parquet"' },
    });
    await rename(`${file}.away`, file);
    expect(await ended(await run({ view: "shop_sales" }))).toMatchObject({ phase: "published" });
  });

  it("refuses a second run of a view in hand, and is interrupted by a kill without a trace", async () => {
    const reply = await run({ view: "endless" });
    await until(async () => (await status("endless")).runs.find((one) => one.run > 0));
    await expect(run({ view: "endless" })).rejects.toMatchObject({ code: "RUN_CONFLICT" });
    await mesh.services.kill("batch-runner");
    expect((await status("endless")).runs.find((one) => one.request === reply.request)?.phase).toBe("computing");
    expect(await ended(await run({ view: "shop_sales" }))).toMatchObject({ phase: "published" });
  });

  it("killed while it publishes, finishes the staged run by itself when it is back", async () => {
    const database = openDatabase(mesh.servers.postgres.url, () => undefined);
    const ledger = openLedger(database);
    const reply = await run({ view: "wide" });
    // Nothing is acknowledged from here on, so the run stands between its stage and its commit.
    mesh.servers.nats.pause();
    const staged = await until(() => ledger.staged("wide"), { what: "the run is staged" });
    const restarted = mesh.services.kill("batch-runner");
    mesh.servers.nats.resume();
    await restarted;
    const published = await until(() => ledger.published("wide"), { what: "the run is published" });
    expect(published).toMatchObject({ run: staged.run, intervalEndMs: noon });
    expect(await ended(reply)).toMatchObject({ phase: "published", run: staged.run, counts: { published: 20_000 } });
    const chunks = await readPublished(admin, "wide");
    const keys = new Set(chunks.flatMap((chunk) => (chunk.kind === "rows" ? chunk.keys : [])));
    expect(keys.size).toBe(20_000);
    expect(new Set(chunks.map((chunk) => chunk.run?.number))).toEqual(new Set([staged.run]));
    const before = rowsPublished(chunks);
    expect(await ended(await run({ view: "wide" }))).toMatchObject({ counts: { published: 0 } });
    expect(rowsPublished(await readPublished(admin, "wide"))).toBe(before);
    await database.close();
  });
});

describe("the batch-runner's start and stop", () => {
  const directory = temporaryDirectory("batch-start");
  const servers = startServers({ directory: directory.path, need: ["nats", "postgres"], fsync: false });
  afterAll(async () => {
    await (await servers).stop();
    directory.remove();
  });
  const start = async (environment: Record<string, string> = {}) => {
    const { nats, postgres } = await servers;
    const config = readConfig(
      options,
      {
        NATS_URL: nats.url("batch-runner"),
        DATABASE_URL: postgres.url,
        TRIBUTARY_LAKE: join(directory.path, "lake"),
        ...environment,
      },
      () => "",
    );
    const service = await startBatchRunner(config, {
      logger: createLogger({ name: "test", level: "silent" }),
      instance: "batch-runner-1",
    });
    // Closing the connections settles it; nobody here waits for it.
    service.failed.catch(() => undefined);
    return service;
  };

  it("names the tables that do not exist", async () => {
    await expect(start()).rejects.toMatchObject({
      code: "MISSING_RESOURCE",
      message: "the database has no table leases, batch_runs, batch_published",
    });
  });

  it("names the stream that does not exist", async () => {
    await ensureEnvironment({ databaseUrl: (await servers).postgres.url });
    await expect(start()).rejects.toMatchObject({
      code: "MISSING_RESOURCE",
      message: expect.stringContaining("TRIB_ROWS_BATCH"),
    });
  });

  it("runs every view on the clock, the latest interval only, and ends a query in hand when it is stopped", async () => {
    const { nats, postgres } = await servers;
    await ensureEnvironment({ natsUrl: nats.url("admin"), databaseUrl: postgres.url });
    const admin = await openConnection({ url: nats.url("admin"), name: "test" });
    const bucket = await openBucket(admin, "TRIB_CLOCK");
    const setTime = (simulatedMs: number) => setClock(bucket, { simulatedMs, realMs: Date.now(), rate: 0 });
    await setTime(noon);
    const { views: _views, ...rest } = body();
    await applyCatalog({
      body: { ...rest, views: { wide } },
      natsUrl: nats.url("admin"),
      databaseUrl: postgres.url,
    });
    const database = openDatabase(postgres.url, () => undefined);
    const ledger = openLedger(database);
    await land(join(directory.path, "lake"));
    const service = await start();
    await until(async () => (await ledger.published("wide"))?.intervalEndMs === noon);
    await setTime(noon + 10 * every + 60_000);
    await until(async () => (await ledger.published("wide"))?.intervalEndMs === noon + 10 * every);
    expect((await ledger.recent("wide", 10)).map((run) => run.intervalEndMs)).toEqual([noon + 10 * every, noon]);

    await applyCatalog({
      body: { ...rest, views: { wide, endless } },
      natsUrl: nats.url("admin"),
      databaseUrl: postgres.url,
    });
    await until(async () => (await ledger.recent("endless", 1))[0]);
    await service.stop();
    expect((await ledger.recent("endless", 1))[0]).toMatchObject({ phase: "failed", error: { code: "UNAVAILABLE" } });
    await Promise.all([admin.close(), database.close()]);
  });
});
