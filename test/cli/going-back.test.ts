import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { applyCatalog } from "@tributary/cli/catalog/apply";
import { restoreCatalog } from "@tributary/cli/catalog/restore";
import { connectTributary, type Tributary } from "@tributary/client/connect";
import { decodePayload, encodePayload } from "@tributary/shared/codec/json-or-msgpack";
import type { CatalogBody } from "@tributary/shared/contracts/catalog";
import type { BatchRunReply, BatchStatus } from "@tributary/shared/contracts/status";
import { subjects } from "@tributary/shared/contracts/subjects";
import { openConnection } from "@tributary/shared/messaging/connection";
import type { Connection } from "@tributary/shared/messaging/contract";
import { request } from "@tributary/shared/messaging/request";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Mesh, startMesh } from "../support/mesh.ts";
import { until } from "../support/until.ts";
import { batch, direct, firstBody, stream, withViews } from "./catalog-bodies.ts";
import { folderFor } from "./environment-file.ts";
import { runCli } from "./run-cli.ts";

/** Breaking changes in two lanes; the stream view stays. */
const secondBody = withViews({
  congestion: { ...direct, version: 2, features: [{ name: "score", type: "string" }] },
  profile: {
    ...batch,
    version: 2,
    sql: "select code, 'many' as flights from lines",
    features: [{ name: "flights", type: "string" }],
  },
});

let mesh: Mesh;
let client: Tributary;
let connection: Connection;
let urls: { natsUrl: string; databaseUrl: string };

beforeAll(async () => {
  mesh = await startMesh({ environments: { "batch-runner": { BATCH_SCHEDULE: "off" } } });
  urls = { natsUrl: mesh.servers.nats.url("admin"), databaseUrl: mesh.servers.postgres.url };
  client = await connectTributary({ natsUrl: mesh.servers.nats.url("client"), name: "test" });
  connection = await openConnection({ url: mesh.servers.nats.url("client"), name: "test" });
});
afterAll(async () => {
  await client?.close();
  await connection?.close();
  await mesh?.stop();
});
beforeEach(() => mesh.printLogsOnFailure());

const apply = (body: CatalogBody, allowDestroy = false) =>
  applyCatalog({ body, ...urls, allowDestroy, author: "anna" });
const restore = (version: number) => restoreCatalog(version, { ...urls, author: "bert" });

interface Seen {
  readonly value: unknown;
  readonly status: string;
  readonly eventTime?: unknown;
}
async function read(code: string): Promise<Record<string, Seen>> {
  const [row] = await client.read("board", [{ code }], { detail: true });
  return row as Record<string, Seen>;
}

function landLines(...codes: string[]): void {
  const folder = join(mesh.servers.directory, "lake", "raw");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "lines.csv"), `${["code", ...codes].join("\n")}\n`);
}

async function ask<T>(subject: string, question: object): Promise<T> {
  return decodePayload(await request(connection, subject, encodePayload(question, "json"))).value as T;
}

async function runProfile(): Promise<void> {
  const { request: id } = await ask<BatchRunReply>(subjects.batchRun, { view: "profile" });
  await until(async () => {
    const { runs } = await ask<BatchStatus>(subjects.batchStatus, { view: "profile" });
    const run = runs.find((one) => one.request === id);
    if (run?.phase === "failed") throw new Error(`the run failed: ${run.error?.message}`);
    return run?.phase === "published";
  });
}

async function write(features: object): Promise<void> {
  const { outcomes } = await client.write("congestion", [{ key: { code: "ORD" }, features }]);
  expect(outcomes).toMatchObject([{ kind: "accepted" }]);
}

describe("going back to an earlier catalog, with all lanes at work", () => {
  let scoredAt: unknown;

  it("begins with a first version that every lane fills", async () => {
    const { version, processes, lagging, everywhereMs } = await apply(firstBody);
    expect(processes.map((one) => `${one.service} ${one.version}`).sort()).toEqual(
      ["batch-runner", "direct-gateway", "online-store", "stream-processor"].map((name) => `${name} ${version}`),
    );
    expect({ lagging, isTimed: (everywhereMs ?? -1) > 0 }).toEqual({ lagging: [], isTimed: true });
    landLines("ORD", "LAX");
    await runProfile();
    await write({ score: 0.5, level: 3 });
    await client.publish("departures", { origin: "ORD", at: Date.now() - 120_000 });
    await until(async () => {
      const { score, flights, n_1h } = await read("ORD");
      return score?.value === 0.5 && flights?.value === 1 && n_1h?.value === 1;
    });
    await until(async () => (await read("LAX")).flights?.value === 1);
    scoredAt = (await read("ORD")).score?.eventTime;
  });

  it("takes a second one with breaking changes: their views begin empty, the others go on", async () => {
    await apply(secondBody);
    const { score, flights, n_1h } = await read("ORD");
    expect([score?.status, flights?.status, n_1h?.value]).toEqual(["NOT_FOUND", "NOT_FOUND", 1]);
    landLines("ORD");
    await runProfile();
    await write({ score: "high" });
    await until(async () => {
      const row = await read("ORD");
      return row.score?.value === "high" && row.flights?.value === "many";
    });
  });

  it("reads what the first version had at once when it is restored, with the time of then", async () => {
    const { version, restored, raised, lagging, plan } = await restore(1);
    expect({ version, restored, raised, lagging }).toEqual({ version: 3, restored: 1, raised: [], lagging: [] });
    expect(plan.changes.map(({ name, needs }) => `${name} ${needs}`)).toEqual(
      expect.arrayContaining(["congestion null", "profile null"]),
    );
    const row = await read("ORD");
    expect(row.score).toMatchObject({ value: 0.5, status: "PRESENT", eventTime: scoredAt });
    expect(row.flights).toMatchObject({ value: 1, status: "PRESENT" });
    expect(row.n_1h).toMatchObject({ value: 1, status: "PRESENT" });
  });

  it("goes on from there: the next run withdraws what was deleted meanwhile, writes and events count", async () => {
    expect((await read("LAX")).flights).toMatchObject({ value: 1 });
    await runProfile();
    await until(async () => (await read("LAX")).flights?.status === "NOT_FOUND");
    expect((await read("ORD")).flights).toMatchObject({ value: 1, status: "PRESENT" });
    await write({ score: 0.75 });
    await client.publish("departures", { origin: "ORD", at: Date.now() - 120_000 });
    await until(async () => {
      const { score, n_1h } = await read("ORD");
      return score?.value === 0.75 && n_1h?.value === 2;
    });
  });

  it("goes forward again, to what the second version had", async () => {
    expect(await restore(2)).toMatchObject({ version: 4, raised: [], lagging: [] });
    const row = await read("ORD");
    expect([row.score?.value, row.flights?.value, row.n_1h?.value]).toEqual(["high", "many", 2]);
  });

  it("gives a stream view whose windows ended a version of its own", async () => {
    await apply(withViews({ now: { ...stream, version: 2, hopMs: 120_000 } }, secondBody));
    const { raised, version } = await restore(2);
    expect(raised).toEqual([{ what: "view", name: "now", from: 1, to: 3 }]);
    expect((await read("ORD")).n_1h).toMatchObject({ status: "NOT_FOUND" });
    await client.publish("departures", { origin: "ORD", at: Date.now() - 120_000 });
    await until(async () => (await read("ORD")).n_1h?.value === 1);
    expect(version).toBe(6);
  });

  it("tells the whole story in the history", async () => {
    const folder = folderFor(mesh.servers, { postgres: true });
    const cli = (...args: string[]) => runCli(args, { directory: folder.path });
    const { data } = (await cli("catalog", "list", "--json")).json() as {
      data: { versions: Record<string, unknown>[] };
    };
    expect(data.versions.map(({ version, author, message, state }) => [version, author, message, state])).toEqual([
      [6, "bert", "restore version 2", "current"],
      [5, "anna", "", "earlier"],
      [4, "bert", "restore version 2", "earlier"],
      [3, "bert", "restore version 1", "earlier"],
      [2, "anna", "", "earlier"],
      [1, "anna", "", "earlier"],
    ]);
    const shown = (await cli("catalog", "show", "3", "--json")).json();
    expect(shown).toMatchObject({ data: { version: 3, follows: 2, body: firstBody, diff: expect.any(Array) } });
    const text = (await cli("catalog", "show", "2")).stdout;
    expect(text).toMatch(/catalog version 2\n {2}state +earlier[\s\S]*! {2}view +congestion\n {4}version: 1 → 2/);
    const compared = (await cli("catalog", "diff", "1", "3")).stdout;
    expect(compared).toContain("no changes");
    expect((await cli("catalog", "show", "99")).code).toBe(3);
    expect((await cli("catalog", "restore", "newest")).code).toBe(2);
    folder.remove();
  });
});
