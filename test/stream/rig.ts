import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { ensureEnvironment } from "@tributary/cli/admin/ensure";
import { applyCatalog } from "@tributary/cli/catalog/apply";
import { nodeArguments } from "@tributary/local/node-command";
import { type Servers, startServers } from "@tributary/local/servers";
import type { CatalogBody } from "@tributary/shared/contracts/catalog";
import type { ClockRecord } from "@tributary/shared/contracts/clock";
import type { PartitionPosition, StreamStatus } from "@tributary/shared/contracts/status";
import { subjects } from "@tributary/shared/contracts/subjects";
import type { StreamName } from "@tributary/shared/contracts/topology";
import { openBucket } from "@tributary/shared/messaging/bucket";
import { openConnection } from "@tributary/shared/messaging/connection";
import type { Connection, DeliveredMessage } from "@tributary/shared/messaging/contract";
import { openCursor } from "@tributary/shared/messaging/cursor";
import { request } from "@tributary/shared/messaging/request";
import { readStreamState } from "@tributary/shared/messaging/stream-state";
import { setClock } from "@tributary/shared/runtime/clock-client";
import { connect, type NatsConnection } from "nats";
import pg from "pg";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { until } from "../support/until.ts";

/** Servers for one test file, and processors as processes of their own: they can be killed and frozen. */
export interface Rig {
  readonly servers: Servers;
  readonly admin: Connection;
  /** A client that is not ours. */
  readonly foreign: NatsConnection;
  readonly sql: pg.Pool;
  /** Streams, buckets and tables empty again, this catalog applied, the clock paused at `startMs`. */
  begin(body: CatalogBody): Promise<void>;
  apply(body: CatalogBody): Promise<void>;
  clock(record: ClockRecord): Promise<void>;
  pauseAt(instantMs: number): Promise<void>;
  start(instance: string, environment?: Readonly<Record<string, string>>): Promise<Processor>;
  publish(events: unknown, source?: string): Promise<number>;
  /** Waits until everything published is routed, applied, evaluated at the paused instant, and acknowledged. */
  settled(instantMs: number): Promise<PartitionPosition[]>;
  status(): Promise<StreamStatus[]>;
  /** Deletes the stream and creates it again. */
  remake(stream: string): Promise<void>;
  read(stream: StreamName): Promise<DeliveredMessage[]>;
  stop(): Promise<void>;
}

export interface Processor {
  readonly instance: string;
  readonly log: () => string;
  readonly exited: Promise<number | null>;
  /** Neither ended nor frozen. */
  readonly isRunning: () => boolean;
  kill(): Promise<void>;
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

/** A paused noon, aligned to no hop. */
export const startMs = Date.UTC(2001, 0, 5, 12, 7, 23, 400);

const entry = fileURLToPath(new URL("../../services/stream-processor/src/main.ts", import.meta.url));
const quick = { COALESCE_MS: "40", MARK_MS: "150", COMMIT_MS: "300", LEASE_TTL_MS: "1500", LOG_LEVEL: "info" };

export async function startRig(): Promise<Rig> {
  const directory = temporaryDirectory("stream");
  const servers = await startServers({ directory: directory.path, need: ["nats", "postgres"], fsync: false });
  const urls = { natsUrl: servers.nats.url("admin"), databaseUrl: servers.postgres.url };
  const target = new URL(urls.natsUrl);
  const foreign = await connect({ servers: target.host, user: target.username, pass: target.password });
  const sql = new pg.Pool({ connectionString: urls.databaseUrl, max: 2 });
  sql.on("error", () => undefined);
  const admin = await openConnection({ url: urls.natsUrl, name: "test" });
  const processors = new Set<Processor>();
  let partitions = 0;

  const rig: Rig = {
    servers,
    admin,
    foreign,
    sql,
    begin: async (body) => {
      await Promise.all([...processors].map((processor) => processor.kill()));
      processors.clear();
      await wipe(foreign, sql);
      await ensureEnvironment(urls);
      partitions = body.partitions;
      await rig.apply(body);
      await rig.pauseAt(startMs);
    },
    apply: async (body) => void (await applyCatalog({ body, ...urls })),
    clock: async (record) => void (await setClock(await openBucket(admin, "TRIB_CLOCK"), record)),
    pauseAt: (simulatedMs) => rig.clock({ simulatedMs, realMs: Date.now(), rate: 0 }),
    start: async (instance, environment = {}) => {
      const processor = await startProcessor(servers, instance, environment);
      processors.add(processor);
      return processor;
    },
    publish: async (events, source = "flights") => {
      const ack = await foreign.jetstream().publish(subjects.events(source), JSON.stringify(events));
      return ack.seq;
    },
    status: () => allStatuses(admin, [...processors].filter((processor) => processor.isRunning()).length),
    settled: (instantMs) => settled(rig, instantMs, partitions),
    remake: async (stream) => {
      await (await foreign.jetstreamManager()).streams.delete(stream);
      await ensureEnvironment(urls);
    },
    read: (stream) => readAll(admin, stream),
    stop: async () => {
      await Promise.all([...processors].map((processor) => processor.kill()));
      await foreign.close();
      await admin.close();
      await sql.end();
      await servers.stop();
      directory.remove();
    },
  };
  return rig;
}

async function wipe(foreign: NatsConnection, sql: pg.Pool): Promise<void> {
  const manager = await foreign.jetstreamManager();
  for await (const { config } of manager.streams.list()) await manager.streams.delete(config.name);
  const { rows } = await sql.query<{ name: string }>(
    "select tablename as name from pg_tables where schemaname = 'public' and (tablename like 'stream%' or tablename in ('leases', 'catalog_versions'))",
  );
  for (const { name } of rows) await sql.query(`truncate ${name}`);
}

async function startProcessor(
  servers: Servers,
  instance: string,
  environment: Readonly<Record<string, string>>,
): Promise<Processor> {
  const child = spawn(process.execPath, nodeArguments(entry), {
    env: {
      ...process.env,
      ...quick,
      NATS_URL: servers.nats.url("stream-processor"),
      DATABASE_URL: servers.postgres.url,
      TRIBUTARY_INSTANCE: instance,
      ...environment,
    },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let log = "";
  child.stderr.on("data", (piece) => {
    log = (log + String(piece)).slice(-20_000);
  });
  const exited = once(child, "exit").then(() => child.exitCode);
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGCONT");
    child.kill(signal);
    await exited;
  };
  await Promise.race([ready(child), exited]);
  let isFrozen = false;
  return {
    instance,
    isRunning: () => child.exitCode === null && child.signalCode === null && !isFrozen,
    log: () => log,
    exited,
    kill: () => end("SIGKILL"),
    freeze: () => {
      isFrozen = true;
      child.kill("SIGSTOP");
    },
    thaw: () => {
      isFrozen = false;
      child.kill("SIGCONT");
    },
    stop: () => end("SIGTERM"),
  };
}

function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.stderr?.on("data", (piece) => String(piece).includes('"msg":"ready"') && resolve());
  });
}

/** The broker asks one instance of the queue group at a time, and a frozen one does not answer: ask until all were heard. */
async function allStatuses(admin: Connection, running: number): Promise<StreamStatus[]> {
  const heard = new Map<string, StreamStatus>();
  for (let asked = 0; asked < 4 * running && heard.size < running; asked++) {
    const answer = await request(admin, subjects.streamStatus, new Uint8Array(0), { timeoutMs: 300 }).catch(
      () => undefined,
    );
    if (answer === undefined) continue;
    const status = JSON.parse(new TextDecoder().decode(answer)) as StreamStatus;
    heard.set(status.instance, status);
  }
  return [...heard.values()];
}

async function settled(rig: Rig, instantMs: number, partitionCount: number): Promise<PartitionPosition[]> {
  const events = await readStreamState(rig.admin, "TRIB_EVENTS");
  await until(async () => {
    const routes = (await rig.status()).flatMap((status) => status.routes);
    return routes.length > 0 && routes.every(({ sequence }) => sequence >= events.lastSequence);
  });
  const keyed = await readStreamState(rig.admin, "TRIB_KEYED");
  return until(async () => {
    const statuses = (await rig.status()).filter(({ nowMs }) => nowMs === instantMs);
    const done = statuses
      .flatMap((status) => status.partitions)
      .filter((partition) => partition.applied >= keyed.lastSequence)
      .filter((partition) => partition.evaluatedAtMs === instantMs && partition.unpublished === 0);
    return done.length === partitionCount && done;
  });
}

async function readAll(admin: Connection, stream: StreamName): Promise<DeliveredMessage[]> {
  const { firstSequence } = await readStreamState(admin, stream);
  const cursor = await openCursor(admin, { stream, filter: ">", from: firstSequence });
  const messages: DeliveredMessage[] = [];
  while (!(await cursor.drained())) messages.push(...(await cursor.next(1_000, 200)));
  await cursor.close();
  return messages;
}
