import { asTributaryError, TributaryError } from "@tributary/shared/contracts/errors";
import { subjects } from "@tributary/shared/contracts/subjects";
import { openBucket } from "@tributary/shared/messaging/bucket";
import { openConnection } from "@tributary/shared/messaging/connection";
import type { Connection } from "@tributary/shared/messaging/contract";
import { serveEndpoints } from "@tributary/shared/messaging/endpoints";
import { createPublisher } from "@tributary/shared/messaging/publisher";
import { readStreamState } from "@tributary/shared/messaging/stream-state";
import { processStats, watchCatalog } from "@tributary/shared/runtime/catalog-client";
import { watchClock } from "@tributary/shared/runtime/clock-client";
import type { Config } from "@tributary/shared/runtime/config";
import type { Logger } from "@tributary/shared/runtime/logger";
import type { RunningService } from "@tributary/shared/runtime/run-service";
import { openDatabase } from "./adapters/database.ts";
import type { options } from "./config.ts";
import { republishEndpoint } from "./handlers/answer-republish.ts";
import { followErasures } from "./handlers/follow-erasures.ts";
import { LeaseKeeper } from "./handlers/lease-keeper.ts";
import { PartitionOwner } from "./handlers/partition-owner.ts";
import type { HeldLease, Parts, Worker } from "./handlers/parts.ts";
import { Route } from "./handlers/route.ts";
import { streamStatus } from "./handlers/status.ts";
import { leasesOf, type Work, workOf } from "./handlers/work-names.ts";
import { createCounters } from "./metrics.ts";

const version = "0.1.0";

interface Surroundings {
  readonly logger: Logger;
  readonly instance: string;
}

/** Builds the service from its parts. @throws TributaryError UNAVAILABLE, MISSING_RESOURCE, BAD_CONFIG */
export async function startStreamProcessor(
  config: Config<typeof options>,
  surroundings: Surroundings,
): Promise<RunningService> {
  const { logger, instance } = surroundings;
  const connect = (purpose: string) => openConnection({ url: config.natsUrl, name: `${instance}-${purpose}`, logger });
  // Apart, so that neither a burst of reads nor one of publishes stands in front of the other, or of an answer.
  const [consuming, publishing, serving] = await Promise.all([
    connect("consume"),
    connect("publish"),
    connect("serve"),
  ]);
  const parts = await openParts(config, surroundings, { consuming, publishing });
  const failed = deferred();
  const keeper = createKeeper(parts, failed.reject);
  const stopTicking = startTicking(parts, keeper);
  const micro = await serveEndpoints(serving, {
    name: "stream-processor",
    version,
    description: "stream lane: event-time windows per entity",
    metadata: { instance },
    stats: () => processStats(parts.catalog),
    endpoints: [
      {
        name: "stream-status",
        subject: subjects.streamStatus,
        handle: async () => new TextEncoder().encode(JSON.stringify(streamStatus(parts, keeper.workers()))),
      },
      republishEndpoint(() => keeper.workers()),
    ],
  });
  const connections = [consuming, publishing, serving];
  return {
    failed: Promise.race([failed.promise, micro.failed, ...connections.map(closedForGood)]),
    stop: async () => {
      await keeper.stop();
      stopTicking();
      await micro.stop();
      await Promise.all([parts.catalog, parts.clock, parts.erasures].map((followed) => followed.stop()));
      await Promise.all([parts.keyed.close(), parts.rows.close()]);
      await Promise.all([...connections.map((connection) => connection.close()), parts.database.close()]);
    },
  };
}

async function openParts(
  config: Config<typeof options>,
  { logger, instance }: Surroundings,
  { consuming, publishing }: { consuming: Connection; publishing: Connection },
): Promise<Parts> {
  const [catalog, clock, erasures, database] = await Promise.all([
    openBucket(consuming, "TRIB_CATALOG").then((bucket) =>
      watchCatalog(bucket, (error) => logger.error({ error: String(error) }, "a newer catalog cannot be taken up")),
    ),
    openBucket(consuming, "TRIB_CLOCK").then(watchClock),
    followErasures(consuming, { instance, logger }),
    openDatabase(config.databaseUrl, {
      connectionsMax: config.databaseConnectionsMax,
      silentMsMax: config.leaseTtlMs,
      onError: (error) => logger.warn({ error: error.message }, "a database connection was lost"),
    }),
    ...(["TRIB_EVENTS", "TRIB_KEYED", "TRIB_ROWS_STREAM"] as const).map((stream) => readStreamState(consuming, stream)),
  ]);
  const keyed = createPublisher(publishing, { stream: "TRIB_KEYED" });
  const rows = createPublisher(publishing, { stream: "TRIB_ROWS_STREAM" });
  const counters = createCounters();
  const connections = { consuming, publishing };
  return { instance, config, logger, database, ...connections, keyed, rows, catalog, clock, erasures, counters };
}

/** Holds what the current catalog asks for, and begins its work. */
function createKeeper(parts: Parts, fail: (error: unknown) => void): LeaseKeeper {
  let work = new Map<string, Work>();
  const keeper = new LeaseKeeper({
    query: parts.database.query,
    owner: parts.instance,
    ttlMs: parts.config.leaseTtlMs,
    logger: parts.logger,
    start: (lease) => startWork(parts, lease, work.get(lease.name)),
    onEnded: (name, why) => onWorkEnded(parts, { name, why }, fail),
  });
  const follow = (): void => {
    if (parts.catalog.current === undefined) return;
    work = workOf(parts.catalog.current);
    keeper.want(leasesOf(work));
  };
  parts.catalog.onChange(follow);
  follow();
  return keeper;
}

function startWork(parts: Parts, lease: HeldLease, work: Work | undefined): Worker {
  if (work === undefined) throw new TributaryError("INTERNAL", `nobody asked for "${lease.name}"`);
  return work.kind === "route" ? new Route(parts, lease, work) : new PartitionOwner(parts, lease, work.partition);
}

/** Lost history ends the process: it must not go on silently (O5). A defect does too. True: the work is taken up again. */
function onWorkEnded(
  { logger }: Parts,
  { name, why }: { name: string; why: unknown },
  fail: (error: unknown) => void,
): boolean {
  const error = asTributaryError(why);
  if (error.code === "HISTORY_LOST") {
    fail(new TributaryError("HISTORY_LOST", `${name}: ${error.message}. ${whatToDo}`));
    return false;
  }
  if (error.code === "INTERNAL") {
    fail(why);
    return false;
  }
  const isPassing = error.retryable || error.code === "FENCED";
  logger[isPassing ? "warn" : "error"]({ lease: name, code: error.code }, `work ended: ${error.message}`);
  return isPassing;
}

const whatToDo =
  "Restore the stream, or give up the windows' past: stop this service, empty the tables stream_routes, stream_partitions and stream_keys, start it again";

function startTicking(parts: Parts, keeper: LeaseKeeper): () => void {
  const owners = () => keeper.workers().filter((worker) => worker instanceof PartitionOwner);
  const tick = (): void => {
    for (const owner of owners()) owner.tick();
  };
  const timer = setInterval(tick, parts.config.coalesceMs);
  const unlisten = parts.clock.onChange(() => {
    for (const owner of owners()) owner.onClockChange();
    tick();
  });
  return () => {
    clearInterval(timer);
    unlisten();
  };
}

function deferred(): { promise: Promise<never>; reject: (error: unknown) => void } {
  let reject: (error: unknown) => void = () => undefined;
  const promise = new Promise<never>((_, fail) => {
    reject = fail;
  });
  return { promise, reject };
}

async function closedForGood(connection: Connection): Promise<never> {
  throw (await connection.closed) ?? new Error("the broker connection was closed");
}
