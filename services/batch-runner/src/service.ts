import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import { subjects } from "@tributary/shared/contracts/subjects";
import { openBucket } from "@tributary/shared/messaging/bucket";
import { openConnection } from "@tributary/shared/messaging/connection";
import type { Connection, Endpoint } from "@tributary/shared/messaging/contract";
import { serveEndpoints } from "@tributary/shared/messaging/endpoints";
import { createPublisher } from "@tributary/shared/messaging/publisher";
import { readStreamState } from "@tributary/shared/messaging/stream-state";
import { type CatalogView, processStats, watchCatalog } from "@tributary/shared/runtime/catalog-client";
import { watchClock } from "@tributary/shared/runtime/clock-client";
import type { Config } from "@tributary/shared/runtime/config";
import type { Logger } from "@tributary/shared/runtime/logger";
import type { RunningService } from "@tributary/shared/runtime/run-service";
import { checkTables } from "./adapters/check-tables.ts";
import { openDatabase } from "./adapters/database.ts";
import { openDuckDb } from "./adapters/duckdb-engine.ts";
import { openLake } from "./adapters/lake-files.ts";
import { openLedger } from "./adapters/ledger.ts";
import { sourceQueries } from "./adapters/source-queries.ts";
import type { options } from "./config.ts";
import { lakePaths } from "./core/lake-layout.ts";
import { openErasures, startErasing } from "./erasing.ts";
import { acceptRepublish, acceptRun } from "./handlers/batch-run.ts";
import { readStatus } from "./handlers/batch-status.ts";
import type { RunPorts } from "./handlers/run-ports.ts";
import { createRunQueue, type RunQueue } from "./handlers/run-queue.ts";
import { startScheduler } from "./handlers/scheduler.ts";

const version = "0.1.0";
const stream = "TRIB_ROWS_BATCH";
const scheduleTickMs = 500;

type Settings = Config<typeof options>;
interface Surroundings {
  readonly logger: Logger;
  readonly instance: string;
}

/** Builds the service from its parts. @throws TributaryError UNAVAILABLE, MISSING_RESOURCE, BAD_CONFIG */
export async function startBatchRunner(config: Settings, surroundings: Surroundings): Promise<RunningService> {
  const { logger, instance } = surroundings;
  const connect = (purpose: string) => openConnection({ url: config.natsUrl, name: `${instance}-${purpose}`, logger });
  // Apart, so that a delta on its way never stands in front of an answer.
  const [serving, publishing] = await Promise.all([connect("serve"), connect("publish")]);
  const database = openDatabase(config.databaseUrl, (error) =>
    logger.warn({ error: error.message }, "lost an idle connection to PostgreSQL"),
  );
  await checkTables(database);
  await readStreamState(serving, stream);
  const [catalog, clock] = await Promise.all([
    openBucket(serving, "TRIB_CATALOG").then((bucket) =>
      watchCatalog(bucket, (error) => logger.error({ error: String(error) }, "a newer catalog cannot be taken up")),
    ),
    openBucket(serving, "TRIB_CLOCK").then(watchClock),
  ]);
  const publisher = createPublisher(publishing, { stream });
  const ports: RunPorts = {
    ...surroundings,
    ...(await openLakeParts(config, instance)),
    database,
    ledger: openLedger(database),
    publisher,
    queries: sourceQueries({
      urls: config.sourceUrls,
      timeoutMs: config.sourceTimeoutMs,
      rowsMax: config.sourceRowsMax,
    }),
    erasures: await openErasures(serving, { now: clock.now, logger }),
    now: clock.now,
    leaseMs: config.leaseMs,
  };
  const queue: RunQueue = createRunQueue(ports, {
    queueMax: config.queueMax,
    onEnd: (view, error) => scheduler.onEnd(view, error),
  });
  const scheduler = startScheduler({
    ports,
    catalog,
    queue,
    isOn: config.schedule === "on",
    tickMs: scheduleTickMs,
    retryMs: config.retryMs,
  });
  const erasing = await startErasing(ports, { broker: serving, catalog, queue });
  const micro = await serveEndpoints(serving, {
    name: "batch-runner",
    version,
    description: "batch lane: runs of batch views",
    metadata: { instance },
    stats: () => processStats(catalog),
    endpoints: [...endpointsOf(ports, catalog, queue), erasing.endpoint],
  });
  return {
    failed: Promise.race([micro.failed, closedForGood(serving), closedForGood(publishing)]),
    stop: async () => {
      await Promise.all([micro.stop(), scheduler.stop(), queue.stop(), erasing.stop()]);
      await Promise.all([catalog.stop(), clock.stop(), publisher.close(), ports.erasures.close()]);
      await Promise.all([serving.close(), publishing.close(), database.close()]);
    },
  };
}

async function openLakeParts(config: Settings, instance: string): Promise<Pick<RunPorts, "lake" | "openEngine">> {
  const root = resolve(config.lake);
  await mkdir(root, { recursive: true });
  const lake = openLake(root);
  // What a killed predecessor spilled.
  await lake.remove(lakePaths.temporary(instance));
  const { memoryMb, temporaryMb, threads } = config;
  const temporaryDirectory = lake.absolute(lakePaths.temporary(instance));
  return { lake, openEngine: () => openDuckDb({ memoryMb, temporaryMb, threads, temporaryDirectory }) };
}

function endpointsOf(ports: RunPorts, catalog: CatalogView, queue: RunQueue): readonly Endpoint[] {
  const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
  return [
    {
      name: "run",
      subject: subjects.batchRun,
      handle: async ({ data }) => json(await acceptRun(ports, { catalog, queue }, data)),
    },
    {
      name: "republish",
      subject: subjects.batchRepublish,
      handle: async ({ data }) => json(await acceptRepublish(ports, { catalog, queue }, data)),
    },
    {
      name: "status",
      subject: subjects.batchStatus,
      handle: async ({ data }) => json(await readStatus(ports, { catalog, queue }, data)),
    },
  ];
}

async function closedForGood(connection: Connection): Promise<never> {
  throw (await connection.closed) ?? new Error("the broker connection was closed");
}
