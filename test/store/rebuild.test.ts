import type { ChildProcess } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { applyCatalog } from "@tributary/cli/catalog/apply";
import { connectTributary, type Tributary } from "@tributary/client/connect";
import { encodePayload } from "@tributary/shared/codec/json-or-msgpack";
import { type Lane, lanes } from "@tributary/shared/contracts/catalog";
import type {
  BatchRunReply,
  BatchRunStatus,
  BatchStatus,
  StoreStatus,
  StreamStatus,
} from "@tributary/shared/contracts/status";
import { subjects } from "@tributary/shared/contracts/subjects";
import { laneStream } from "@tributary/shared/contracts/topology";
import { openBucket } from "@tributary/shared/messaging/bucket";
import { openConnection } from "@tributary/shared/messaging/connection";
import type { Connection } from "@tributary/shared/messaging/contract";
import { callApi } from "@tributary/shared/messaging/jetstream-api";
import { request } from "@tributary/shared/messaging/request";
import { readStreamState } from "@tributary/shared/messaging/stream-state";
import { setClock } from "@tributary/shared/runtime/clock-client";
import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type CliHost, startCliHost } from "../cli/cli-host.ts";
import { folderFor } from "../cli/environment-file.ts";
import { runCli } from "../cli/run-cli.ts";
import { type Mesh, startMesh } from "../support/mesh.ts";
import { until } from "../support/until.ts";
import { body, everything, judged, partitions } from "./rebuild-definitions.ts";

const minute = 60_000;
/** The clock stands at five past; the batch intervals end at each quarter. */
const noon = Date.parse("2026-03-01T12:00:00Z");
const now = noon + 5 * minute;
const shops = ["oslo", "rome", "bern", "kyiv", "lima", "nuuk", "suva", "baku", "bonn", "cork"];

let mesh: Mesh;
let admin: Connection;
let client: Tributary;
let redis: Redis;
let host: CliHost;
let folder: ReturnType<typeof folderFor>;

beforeAll(async () => {
  mesh = await startMesh({
    services: ["online-store", "batch-runner", "stream-processor", "direct-gateway"],
    environment: { BATCH_SCHEDULE: "off", COALESCE_MS: "40", MARK_MS: "150", COMMIT_MS: "300" },
  });
  const urls = { natsUrl: mesh.servers.nats.url("admin"), databaseUrl: mesh.servers.postgres.url };
  admin = await openConnection({ url: urls.natsUrl, name: "test" });
  await setClock(await openBucket(admin, "TRIB_CLOCK"), { simulatedMs: now, realMs: Date.now(), rate: 0 });
  await applyCatalog({ body, ...urls });
  client = await connectTributary({ natsUrl: mesh.servers.nats.url("client") });
  redis = new Redis(mesh.servers.redis.url);
  folder = folderFor(mesh.servers, { postgres: true });
  host = startCliHost(folder.path);
  const isThere = async () => {
    const { partitions: owned } = await ask<StreamStatus>(subjects.streamStatus);
    const { catalogVersion } = await ask<BatchStatus>(subjects.batchStatus);
    return owned.length === partitions && catalogVersion === 1;
  };
  await until(isThere, { what: "the catalog is seen and every partition has an owner" });
});
afterAll(async () => {
  host?.stop();
  redis?.disconnect();
  await client?.close();
  await admin?.close();
  await mesh?.stop();
  folder?.remove();
});
beforeEach(() => mesh.printLogsOnFailure());

async function ask<T>(subject: string, question: object = {}): Promise<T> {
  return JSON.parse(new TextDecoder().decode(await request(admin, subject, encodePayload(question, "json")))) as T;
}

interface Sale {
  readonly code: string;
  readonly amount?: number;
  readonly note?: string;
}

async function run(intervalEndMs: number, sales: readonly Sale[]): Promise<BatchRunStatus> {
  const directory = join(mesh.servers.directory, "lake", "raw", "sales");
  mkdirSync(directory, { recursive: true });
  const lines = sales.map(({ code, amount, note }) => `${code},${amount ?? ""},${note ?? ""}`);
  writeFileSync(join(directory, "sales.csv"), ["code,amount,note", ...lines, ""].join("\n"));
  const reply = await ask<BatchRunReply>(subjects.batchRun, { view: "totals", intervalEndMs });
  const ended = await until(async () => {
    const { runs } = await ask<BatchStatus>(subjects.batchStatus, { view: "totals" });
    return runs.find((one) => one.request === reply.request && one.finishedAtMs !== undefined);
  });
  if (ended.error) throw new Error(ended.error.message);
  return ended;
}

const first: readonly Sale[] = shops.map((code, i) => ({ code, amount: i, ...(i % 2 === 0 && { note: "even" }) }));
/** One is gone, one has more, one has another note; the others stay. */
const later: readonly Sale[] = [
  ...first.filter(({ code }) => code !== "bern"),
  { code: "rome", amount: 7 },
  { code: "kyiv", note: "new" },
];

/** Cells of every lane: several versions in one row, tombstones, rows that carry some features only. */
async function fill(): Promise<void> {
  await run(noon - 30 * minute, first);
  await run(noon - 15 * minute, later);
  await run(noon, later);
  const events = shops
    .slice(0, 7)
    .flatMap((code, i) =>
      Array.from({ length: i + 1 }, (_, j) => ({ code, seconds: 10 * i + j, at: new Date(now - (j + 1) * minute) })),
    );
  await client.publish("visits", events);
  await client.write(
    judged,
    shops.map((code, i) => ({ key: { code }, features: { score: i, reason: code } })),
  );
  await client.write(judged, [
    { key: { code: "rome" }, features: { score: 99 } },
    { key: { code: "lima" }, withdraw: ["reason"] },
  ]);
}

async function settled(): Promise<void> {
  const isSettled = async () => {
    const { lanes: floors } = await ask<StoreStatus>(subjects.storeStatus);
    const ends = await Promise.all(lanes.map((lane) => readStreamState(admin, laneStream[lane])));
    return floors.every(({ lane, floor }) => floor >= (ends[lanes.indexOf(lane)]?.lastSequence ?? 0));
  };
  await until(isSettled, { what: "all lanes are applied" });
}

const ofLane: Readonly<Record<Lane, readonly string[]>> = {
  batch: ["sold", "revenue", "note"],
  stream: ["visits_1h", "stay_1h"],
  direct: ["score", "reason"],
};

/** Every cell as a reader sees it. */
async function read(...wanted: readonly Lane[]) {
  const rows = await until(() =>
    client.read(
      everything,
      shops.map((code) => ({ code })),
      { detail: true },
    ),
  );
  const names = wanted.flatMap((lane) => ofLane[lane]);
  return rows.map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => names.includes(name))));
}

/** Every record's bytes. */
async function records(): Promise<ReadonlyMap<string, string>> {
  const keys = (await redis.keys("{p??}:*")).sort();
  const values = await Promise.all(keys.map((key) => redis.getBuffer(key)));
  return new Map(keys.map((key, i) => [key, values[i]?.toString("hex") ?? ""]));
}

const purge = (...which: readonly Lane[]) =>
  Promise.all(which.map((lane) => callApi(admin, `STREAM.PURGE.${laneStream[lane]}`)));

interface Told {
  readonly ok: boolean;
  readonly error?: { readonly code: string; readonly message: string };
  readonly data: { readonly isComplete: boolean; readonly views: readonly unknown[] };
}

async function rebuild(...flags: readonly string[]) {
  const result = await host.run({ argv: ["rebuild", "--json", ...flags] });
  return { code: result.code, told: result.json() as Told };
}

describe("tributary rebuild", () => {
  it("brings back every cell of batch and stream as it was, though no stream holds a row of theirs", async () => {
    await fill();
    await until(async () => (await read("stream")).filter((row) => row.visits_1h?.status === "PRESENT").length === 7);
    const isConfirmed = async () => (await read("batch", "stream")).every(isFresh);
    await settled();
    await until(isConfirmed, { what: "all that is there is fresh" });
    const before = await read(...lanes);
    expect(before.map((row) => row.sold?.status)).toContain("NOT_FOUND");
    await purge("batch", "stream");
    await redis.flushall();
    const { code, told } = await rebuild();
    expect({ code, told }).toMatchObject({ code: 0, told: { ok: true, data: { isComplete: true } } });
    const whole = { whole: partitions, partitions, missing: [], setAside: [] };
    expect(told.data.views).toEqual([
      { view: "totals", lane: "batch", rows: expect.any(Number), ...whole },
      { view: "lately", lane: "stream", rows: 7, ...whole },
      { view: "judged", lane: "direct", rows: null, ...whole },
    ]);
    // Nothing that was written since makes it fresh: confirmations count again.
    await until(isConfirmed, { what: "all that is there is fresh again" });
    expect(await read(...lanes)).toEqual(before);
  });

  it("changes not a byte of what is there", async () => {
    const before = await records();
    expect((await rebuild()).code).toBe(0);
    await settled();
    expect(before.size).toBe(shops.length);
    expect(await records()).toEqual(before);
  });

  it("leaves the next run with what differs, and no more", async () => {
    const { counts } = await run(noon, [...later, { code: "oslo", amount: 1 }]);
    expect(counts).toMatchObject({ published: 1, updated: 1 });
    await settled();
  });

  it("never calls complete what only direct producers can write again", async () => {
    const before = await read("batch", "stream");
    await purge(...lanes);
    await redis.flushall();
    const { code, told } = await rebuild();
    expect({ code, error: told.error?.code }).toEqual({ code: 6, error: "HISTORY_LOST" });
    expect(told.error?.message).toContain('not complete: "judged": 8 partitions lack what Redis lost');
    expect(told.data).toMatchObject({ isComplete: false, views: [{ whole: 8 }, { whole: 8 }, { whole: 0 }] });
    await until(async () => (await read("batch", "stream")).every(isFresh));
    expect(await read("batch", "stream")).toEqual(before);
    expect((await read("direct")).every((row) => row.score?.status === "NOT_FOUND")).toBe(true);
    const text = await host.run({ argv: ["rebuild", "--lane", "direct"] });
    expect(text).toMatchObject({ code: 6, stdout: expect.stringContaining("judged  direct  -          0 of 8") });
  });

  it("of one view or lane sends nothing of the others", async () => {
    const sent = async () => {
      const ends = await Promise.all(lanes.map((lane) => readStreamState(admin, laneStream[lane])));
      return ends.map(({ lastSequence }) => lastSequence);
    };
    const before = await sent();
    const { code, told } = await rebuild("--view", "totals");
    expect({ code, views: told.data.views }).toMatchObject({ code: 0, views: [{ view: "totals", whole: 8 }] });
    const after = await sent();
    expect([after[0] ?? 0, after[2]]).toEqual([expect.any(Number), before[2]]);
    expect(after[0]).toBeGreaterThan(before[0] ?? 0);
  });

  it("begins nothing when a service of a lane does not answer, and says which", async () => {
    mesh.services.pause("batch-runner");
    const { code, told } = await rebuild();
    mesh.services.resume("batch-runner");
    expect({ code, told }).toMatchObject({ code: 5, told: { error: { code: "DEADLINE" } } });
    expect(told.error?.message).toContain("batch-runner does not answer, so nothing is rebuilt");
  });

  it("does not wait longer than it may, and says what for", async () => {
    mesh.servers.redis.pause();
    const { code, told } = await rebuild("--timeout", "2", "--view", "totals");
    mesh.servers.redis.resume();
    expect({ code, error: told.error?.code }).toEqual({ code: expect.any(Number), error: "DEADLINE" });
    expect([5, 6]).toContain(code);
    expect(told.error?.message).toContain("not within 2 seconds: ");
    await settled();
  });

  it("interrupted, says that what was asked for goes on", async () => {
    const onStart = (child: ChildProcess) => child.stderr?.once("data", () => child.kill("SIGINT"));
    const { code, stderr } = await runCli(["rebuild"], { directory: folder.path, onStart });
    expect(code).toBe(130);
    expect(stderr).toMatch(/sending[\s\S]*interrupted: what was asked for is still sent; rebuild again/);
  });

  it("tells of a message that was set aside among what it sends", async () => {
    const [key = "", bytes] = [...(await records())][0] ?? [];
    await redis.set(key, Buffer.from("damaged"));
    const { code, told } = await rebuild("--view", "totals");
    expect(code).toBe(6);
    expect(told.error?.message).toContain("a message was set aside in partition");
    expect(told.data).toMatchObject({ isComplete: false, views: [{ whole: partitions - 1, missing: [] }] });
    await redis.set(key, Buffer.from(bytes ?? "", "hex"));
    expect((await rebuild("--view", "totals")).code).toBe(0);
  });

  it.each([
    [["--view", "total"], 3, "UNKNOWN_VIEW", 'did you mean "totals"'],
    [["--view", "totals", "--lane", "stream"], 4, "WRONG_LANE", 'view "totals" is of the batch lane'],
    [["--lane", "river"], 2, "BAD_CONFIG", "batch, stream, direct"],
    [["--timeout", "soon"], 2, "BAD_CONFIG", "--timeout must be"],
  ])("refuses %j", async (flags, code, error, message) => {
    const result = await rebuild(...flags);
    expect(result).toMatchObject({ code, told: { error: { code: error, message: expect.stringContaining(message) } } });
  });
});

type Row = Awaited<ReturnType<typeof read>>[number];

function isFresh(row: Row): boolean {
  return Object.values(row).every((cell) => cell.status === "NOT_FOUND" || cell.fresh);
}
