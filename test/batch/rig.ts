import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { ensureEnvironment } from "@tributary/cli/admin/ensure";
import { startServers } from "@tributary/local/servers";
import { decodeChunk } from "@tributary/shared/codec/chunk-codec";
import type { BatchView, Catalog } from "@tributary/shared/contracts/catalog";
import type { Chunk } from "@tributary/shared/contracts/chunk";
import type { BatchRunStatus } from "@tributary/shared/contracts/status";
import { parseRowsSubject } from "@tributary/shared/contracts/subjects";
import { openConnection } from "@tributary/shared/messaging/connection";
import type { Connection, DeliveredMessage, Publisher } from "@tributary/shared/messaging/contract";
import { openCursor } from "@tributary/shared/messaging/cursor";
import { readStreamState } from "@tributary/shared/messaging/stream-state";
import type { Engine } from "../../services/batch-runner/src/core/engine.ts";
import type { RunPorts, RunStep } from "../../services/batch-runner/src/handlers/run-ports.ts";
import { type ViewWork, workOnView } from "../../services/batch-runner/src/handlers/work-on-view.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { openBackends } from "./backends.ts";
import { catalogOf, noon, shopSales } from "./definitions.ts";

/** Runners in this process against real servers, each test with a lake and a view name of its own. */
export interface Rig {
  readonly databaseUrl: string;
  readonly natsUrl: string;
  readonly admin: Connection;
  bench(name: string): Promise<Bench>;
  /** Makes a view's lease run out, as if its runner had been silent for long. */
  expireLease(view: string): Promise<void>;
  stop(): Promise<void>;
}

export interface Sale {
  readonly id: number;
  readonly shop: string | null;
  readonly amount: number | null;
  readonly at?: string;
}

export interface RunnerOptions {
  readonly instance?: string;
  readonly publisher?: Publisher;
  readonly queries?: RunPorts["queries"];
  readonly logger?: RunPorts["logger"];
  readonly onStep?: (step: RunStep) => void | Promise<void>;
}

/** One test's lake, view and runners. */
export interface Bench {
  readonly lake: string;
  readonly view: BatchView;
  readonly ports: RunPorts;
  /** Replaces the raw files by one with these rows. */
  land(sales: readonly Sale[]): Promise<void>;
  run(intervalEndMs?: number, options?: RunnerOptions & { readonly catalog?: Catalog }): Promise<BatchRunStatus>;
  /** A runner that stops for ever at the n-th time it comes to a step; resolves when it stands there. */
  runUntil(step: RunStep, times?: number, intervalEndMs?: number): Promise<void>;
  resume(options?: RunnerOptions): Promise<void>;
  /** Any other work on the view. */
  work(what: ViewWork, options?: RunnerOptions): Promise<void>;
  /** Everything the view has published, in stream order. */
  published(): Promise<readonly Chunk[]>;
  readonly engine: Engine;
}

export async function startRig(): Promise<Rig> {
  const directory = temporaryDirectory("batch");
  const servers = await startServers({ directory: directory.path, need: ["nats", "postgres"], fsync: false });
  const natsUrl = servers.nats.url("batch-runner");
  const databaseUrl = servers.postgres.url;
  await ensureEnvironment({ natsUrl: servers.nats.url("admin"), databaseUrl });
  const admin = await openConnection({ url: servers.nats.url("admin"), name: "test" });
  const backends = await openBackends({ natsUrl, databaseUrl, spill: join(directory.path, "spill") });
  const engines: Engine[] = [];

  const bench = async (name: string): Promise<Bench> => {
    const lake = join(directory.path, "lakes", name);
    const view = { ...shopSales, name };
    const ports = backends.portsOf(lake);
    const engine = await ports.openEngine();
    engines.push(engine);
    const work = (what: ViewWork, options: RunnerOptions = {}) =>
      workOnView({ ...ports, ...options }, what, { signal: new AbortController().signal, report: () => undefined });
    const run: Bench["run"] = async (intervalEndMs = noon, { catalog = catalogOf(view), ...options } = {}) => {
      const current = catalog.views[name] as BatchView;
      await work({ kind: "run", run: { catalog, view: current, intervalEndMs, request: undefined } }, options);
      return (await ports.ledger.recent(name, 1))[0] as BatchRunStatus;
    };
    return {
      lake,
      view,
      ports,
      engine,
      land: (rows) => land(engine, join(lake, "raw/sales"), rows),
      run,
      runUntil: (step, times = 1, intervalEndMs = noon) =>
        new Promise((resolve, reject) => {
          let left = times;
          const onStep = (at: RunStep): void | Promise<void> => {
            if (at !== step || --left > 0) return;
            resolve();
            return new Promise(() => undefined);
          };
          const ended = () => reject(new Error(`the run ended and never came to "${step}" ${times} times`));
          run(intervalEndMs, { onStep }).then(ended, reject);
        }),
      resume: (options) => work({ kind: "resume", view: name }, options),
      work,
      published: () => readPublished(admin, name),
    };
  };
  const stop = async () => {
    for (const engine of engines) engine.close();
    await Promise.all([backends.close(), admin.close()]);
    await servers.stop();
    directory.remove();
  };
  const expireLease = async (view: string) => {
    const { database } = backends.portsOf("");
    await database.query("update leases set until = now() - interval '1 second' where name = $1", [`batch:${view}`]);
  };
  return { databaseUrl, natsUrl, admin, bench, expireLease, stop };
}

async function land(engine: Engine, folder: string, rows: readonly Sale[]): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await engine.writeParquet(salesQuery(rows), join(folder, "sales.parquet"));
}

export function salesQuery(rows: readonly Sale[]): string {
  const values = rows.map(({ id, shop, amount, at = "2026-03-01 10:00:00" }) => {
    const text = shop === null ? "NULL" : `'${shop.replaceAll("'", "''")}'`;
    return `(${id}::BIGINT, ${text}::VARCHAR, ${amount === null ? "NULL" : `'${amount}'`}::DOUBLE, TIMESTAMP '${at}')`;
  });
  if (values.length === 0) return `${salesQuery([{ id: 0, shop: "x", amount: 0 }])} WHERE false`;
  return `SELECT * FROM (VALUES ${values.join(", ")}) t(id, shop, amount, sold_at)`;
}

export async function readPublished(admin: Connection, view: string): Promise<readonly Chunk[]> {
  const { lastSequence } = await readStreamState(admin, "TRIB_ROWS_BATCH");
  const cursor = await openCursor(admin, { stream: "TRIB_ROWS_BATCH", filter: "trib.v1.rows.batch.>", from: 1 });
  const messages: DeliveredMessage[] = [];
  while ((messages.at(-1)?.sequence ?? 0) < lastSequence) messages.push(...(await cursor.next(500, 1_000)));
  await cursor.close();
  const ours = messages.filter((message) => parseRowsSubject(message.subject)?.view === view);
  return ours.map((message) => decodeChunk(message.data));
}
