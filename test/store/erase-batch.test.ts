import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { applyCatalog } from "@tributary/cli/catalog/apply";
import type { CatalogBody } from "@tributary/shared/contracts/catalog";
import type { BatchRunReply, BatchRunStatus, BatchStatus } from "@tributary/shared/contracts/status";
import { subjects } from "@tributary/shared/contracts/subjects";
import { openBucket } from "@tributary/shared/messaging/bucket";
import { openConnection } from "@tributary/shared/messaging/connection";
import type { Connection } from "@tributary/shared/messaging/contract";
import { request } from "@tributary/shared/messaging/request";
import { setClock } from "@tributary/shared/runtime/clock-client";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openDuckDb } from "../../services/batch-runner/src/adapters/duckdb-engine.ts";
import { catalogOf, every, noon, shopSales } from "../batch/definitions.ts";
import { salesQuery } from "../batch/rig.ts";
import { folderFor } from "../cli/environment-file.ts";
import { runCli } from "../cli/run-cli.ts";
import { type Mesh, startMesh } from "../support/mesh.ts";
import { until } from "../support/until.ts";

let mesh: Mesh;
let admin: Connection;
let folder: ReturnType<typeof folderFor>;
beforeAll(async () => {
  mesh = await startMesh({
    services: ["online-store", "batch-runner"],
    environment: { BATCH_SCHEDULE: "off", BATCH_RETRY_MS: "200" },
  });
  folder = folderFor(mesh.servers, { postgres: true });
  const { servers } = mesh;
  admin = await openConnection({ url: servers.nats.url("admin"), name: "test" });
  await setTime(noon);
  await applyCatalog({ body: body(), natsUrl: servers.nats.url("admin"), databaseUrl: servers.postgres.url });
  await land(join(servers.directory, "lake"));
  await until(async () => (await ask<BatchStatus>(subjects.batchStatus, {})).catalogVersion === 1);
});
afterAll(async () => {
  await admin?.close();
  folder?.remove();
  await mesh?.stop();
});
beforeEach(() => mesh.printLogsOnFailure());

function body(): CatalogBody {
  const { version: _version, fingerprint: _fingerprint, ...catalog } = catalogOf({ ...shopSales, deleteShareMax: 0 });
  return catalog;
}

async function land(lake: string): Promise<void> {
  const temporaryDirectory = join(lake, "temporary/test");
  const engine = await openDuckDb({ memoryMb: 128, threads: 1, temporaryMb: 128, temporaryDirectory });
  await mkdir(join(lake, "raw/sales"), { recursive: true });
  const sales = ["oslo", "bergen", "bodo"].map((shop, id) => ({ id, shop, amount: 10 + id }));
  await engine.writeParquet(salesQuery(sales), join(lake, "raw/sales/sales.parquet"));
  engine.close();
}

async function setTime(simulatedMs: number): Promise<void> {
  await setClock(await openBucket(admin, "TRIB_CLOCK"), { simulatedMs, realMs: Date.now(), rate: 0 });
}

async function ask<T>(subject: string, value: unknown): Promise<T> {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  return JSON.parse(new TextDecoder().decode(await request(admin, subject, bytes))) as T;
}

/** A run of the interval that ends then, to its end. */
async function runAt(intervalEndMs: number): Promise<BatchRunStatus> {
  await setTime(intervalEndMs);
  const question = { view: "shop_sales", intervalEndMs };
  // The runner hears of the clock a little later.
  const { request: id } = await until(() => ask<BatchRunReply>(subjects.batchRun, question));
  const find = async () => (await ask<BatchStatus>(subjects.batchStatus, {})).runs.find((one) => one.request === id);
  return until(async () => ((await find())?.finishedAtMs === undefined ? undefined : await find()));
}

interface Status {
  readonly participants: readonly { readonly service: string; readonly state: string; readonly why?: string }[];
  readonly records: readonly { readonly state: string }[];
  readonly sources: readonly object[];
  readonly liftedAt: string | null;
}

async function cli(...args: string[]) {
  const result = await runCli([...args, "--json"], { directory: folder.path });
  return { exit: result.code, ...(result.json() as { data: Status }).data };
}

const erase = (code: string, ...more: string[]) => cli("erase", "shop", `code=${code}`, "--yes", "--id", code, ...more);
const stateOf = async (id: string) => (await cli("erasures", "show", id)).records.map(({ state }) => state);

describe("an erased key of a batch view", () => {
  it("is done when store and lake have nothing of it, and its tables are told", async () => {
    expect(await runAt(noon)).toMatchObject({ counts: { published: 3 } });
    const status = await erase("oslo", "--timeout", "30");
    expect(status).toMatchObject({
      exit: 0,
      participants: [
        { service: "online-store", state: "done" },
        { service: "batch-runner", state: "done" },
      ],
      sources: [{ source: "sales", where: ["raw/sales/*.parquet"], views: ["shop_sales"] }],
      liftedAt: null,
    });
  });

  it("does not come back with the next run, which has it in its sources, and comes back by a lift", async () => {
    expect(await runAt(noon + every)).toMatchObject({ counts: { unchanged: 2, published: 0, erased: 1 } });
    expect(await stateOf("oslo")).toEqual(["erased"]);
    expect((await cli("erasures", "lift", "oslo")).exit).toBe(0);
    expect((await cli("erasures", "show", "oslo")).liftedAt).not.toBeNull();
    expect(await runAt(noon + 2 * every)).toMatchObject({ counts: { inserted: 1, unchanged: 2 } });
    await until(async () => (await stateOf("oslo")).includes("rewritten"), { what: "the store has it again" });
    expect(await cli("erasures", "show", "oslo")).toMatchObject({ exit: 0 });
  });

  it("is pending by name while the runner is away, and done when it is back", async () => {
    mesh.services.pause("batch-runner");
    const status = await erase("bergen", "--timeout", "8").finally(() => mesh.services.resume("batch-runner"));
    expect(status.exit).toBe(6);
    expect(status.participants).toMatchObject([
      { service: "online-store", state: "done" },
      { service: "batch-runner", state: "pending", why: expect.stringContaining("no batch-runner answers") },
    ]);
    await mesh.services.kill("batch-runner");
    await until(async () => (await cli("erasures", "show", "bergen")).exit === 0, { what: "the runner has done it" });
  });

  it("is not forgotten while it is needed, and leaves nothing of itself when it is", async () => {
    const forget = async (...more: string[]) => {
      const result = await runCli(["erasures", "forget", "oslo", ...more, "--json"], { directory: folder.path });
      const { isForgotten, neededBy } = (result.json() as { data: { isForgotten: boolean; neededBy: string[] } }).data;
      return { exit: result.code, isForgotten, why: neededBy.join("; ") };
    };
    const refused = { exit: 6, isForgotten: false, why: expect.stringContaining("TRIB_ROWS_BATCH holds messages") };
    expect(await forget()).toEqual(refused);
    expect(await cli("erasures", "show", "oslo")).toMatchObject({ exit: 0 });
    expect(await forget("--force")).toEqual({ ...refused, exit: 0, isForgotten: true });
    const keys = await (await openBucket(admin, "TRIB_ERASURES")).keys();
    expect(keys.filter((key) => key.includes("oslo"))).toEqual([]);
    expect(keys).toContain("erasure.bergen");
    expect((await runCli(["erasures", "forget", "oslo"], { directory: folder.path })).code).toBe(3);
  });

  it("of no known lift is not found", async () => {
    const result = await runCli(["erasures", "lift", "never-asked"], { directory: folder.path });
    expect([result.code, result.stderr]).toEqual([3, expect.stringContaining("NOT_FOUND")]);
  });
});
