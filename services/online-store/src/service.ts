import { encodePayload } from "@tributary/shared/codec/json-or-msgpack";
import { defaultPartitions, type Lane, lanes } from "@tributary/shared/contracts/catalog";
import { subjects } from "@tributary/shared/contracts/subjects";
import { laneStream } from "@tributary/shared/contracts/topology";
import { startConsumeLoop } from "@tributary/shared/messaging/consume-loop";
import type { Connection, ConsumeLoop, Endpoint, MicroService } from "@tributary/shared/messaging/contract";
import { serveEndpoints } from "@tributary/shared/messaging/endpoints";
import { readStreamState } from "@tributary/shared/messaging/stream-state";
import { processStats } from "@tributary/shared/runtime/catalog-client";
import type { Config } from "@tributary/shared/runtime/config";
import type { RunningService } from "@tributary/shared/runtime/run-service";
import { type HttpServer, startHttpServer } from "./adapters/http-server.ts";
import { readRedisFacts } from "./adapters/redis-facts.ts";
import { redisRecords } from "./adapters/redis-records.ts";
import { anyAnswers } from "./adapters/redis-servers.ts";
import { openReadSource, type ReadSource } from "./caching.ts";
import { openJanitor } from "./cleaning.ts";
import type { options } from "./config.ts";
import { laneView } from "./core/filled.ts";
import { encodeFittingReply } from "./core/fitting-reply.ts";
import type { FreshnessMonitor } from "./core/freshness-monitor.ts";
import { type AnswerRead, createAnswerRead } from "./handlers/answer-read.ts";
import { applyChunks } from "./handlers/apply-chunks.ts";
import { checkReady } from "./handlers/check-ready.ts";
import { holdDeadLetter } from "./handlers/hold-dead-letter.ts";
import { planCache } from "./handlers/read-features.ts";
import type { Replays } from "./handlers/replay-lanes.ts";
import { freshnessSampler } from "./handlers/sample-freshness.ts";
import { storeStatus } from "./handlers/store-status.ts";
import { type ProgressTracker, trackProgress } from "./handlers/track-progress.ts";
import { countOnDemandFailures, metricsText } from "./metrics.ts";
import { openParts, type Parts, type Surroundings } from "./parts.ts";
import { startReplays } from "./replays.ts";
import { openSweep } from "./sweeping.ts";

const name = "online-store";
const version = "0.1.0";

type Loops = ReadonlyMap<Lane, ConsumeLoop>;

/** Builds the service from its parts. @throws TributaryError UNAVAILABLE, MISSING_RESOURCE, BAD_CONFIG */
export async function startStore(config: Config<typeof options>, surroundings: Surroundings): Promise<RunningService> {
  const parts = await openParts(config, surroundings);
  const source = await openReadSource(parts);
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const loops = new Map(
    await Promise.all(lanes.map(async (lane) => [lane, await startLoop(parts, lane, opened)] as const)),
  );
  const replays = startReplays(parts, loops);
  const tracker = await track(parts, loops, replays);
  open();
  parts.erasing.start(() => tracker.epoch);
  const [sweep, janitor] = [await openSweep(parts), openJanitor(parts, tracker)];
  const { http, micro } = await serve(parts, loops, { tracker, replays, source });
  return {
    failed: Promise.race([
      micro.failed,
      ...[...loops.values()].map((loop) => loop.failed),
      closedForGood(parts.consuming),
      closedForGood(parts.serving),
    ]),
    stop: async () => {
      await Promise.all([micro.stop(), http.close(), ...[...loops.values()].map((loop) => loop.stop())]);
      await Promise.all([sweep.stop(), janitor.stop(), parts.erasing.stop()]);
      await Promise.all([tracker.stop(), source.stop()]);
      await replays.stop();
      await parts.close();
    },
  };
}

/** One loop a lane, so that a backfill of one does not stand in front of another. */
async function startLoop(parts: Parts, lane: Lane, opened: Promise<void>): Promise<ConsumeLoop> {
  const { consuming, catalog, progress, metrics, config, erasing } = parts;
  const { erasedAt } = erasing;
  const stream = laneStream[lane];
  const { incarnation } = await readStreamState(consuming, stream);
  const records = redisRecords(parts.writing);
  const context = {
    catalog,
    incarnation,
    records,
    progress,
    erasedAt,
    counters: metrics.lanes[lane],
    outage: metrics.outages[lane],
    freshness: metrics.freshness,
    opened,
  };
  return startConsumeLoop(consuming, {
    stream,
    durable: name,
    lane,
    process: name,
    batchMax: config.batchMessages,
    handle: (batch) => applyChunks(context, batch),
    beforeDeadLetter: holdDeadLetter(progress, { lane, incarnation }),
  });
}

function track(parts: Parts, loops: Loops, replays: Replays): Promise<ProgressTracker> {
  const { catalog, progress, lives, readingSession: session, writingSession: lookSession, config, logger } = parts;
  return trackProgress({
    ...{
      progress,
      lives,
      replays,
      erasedIn: (epoch: string) => parts.erasing.appliedIn(epoch),
      session,
      lookSession,
      loops,
      logger,
    },
    partitions: () => catalog.current?.partitions ?? defaultPartitions,
    views: () => Object.values(catalog.current?.views ?? {}).map(laneView),
    everyMs: config.progressMs,
  });
}

interface Followed {
  readonly tracker: ProgressTracker;
  readonly replays: Replays;
  readonly source: ReadSource;
}

async function serve(
  parts: Parts,
  loops: Loops,
  followed: Followed,
): Promise<{ readonly http: HttpServer; readonly micro: MicroService }> {
  const { config, metrics, catalog, clock, logger } = parts;
  const context = {
    catalog,
    clock,
    records: followed.source.records(
      () => followed.tracker.state.epoch,
      (partition) => followed.tracker.state.run(partition),
    ),
    state: followed.tracker.state,
    plan: planCache(catalog),
    onDemandFailed: (feature: string, rows: number) => countOnDemandFailures(metrics, feature, rows),
    sampleRead: freshnessSampler(metrics.freshness),
  };
  catalog.onChange(({ views }) => metrics.freshness.keep(views));
  const { readConcurrencyMax: concurrencyMax } = config;
  const answerRead = createAnswerRead(context, { concurrencyMax, counters: metrics.reads, logger });
  const rejected = (lane: Lane) => loops.get(lane)?.counters.rejected ?? 0;
  const http = await startHttpServer({
    host: config.httpHost,
    port: config.httpPort,
    answerRead,
    checkReady: () => checkReady(catalog, () => anyAnswers(parts.reading)),
    metricsText: () => metricsText(metrics, rejected, followed.source.cacheStatus()),
  });
  const micro = await serveEndpoints(parts.serving, {
    name,
    version,
    description: "one record per entity: merges the three lanes, answers reads",
    metadata: { instance: parts.instance, http: http.url },
    stats: () => processStats(catalog),
    endpoints: [
      readEndpoint(answerRead, concurrencyMax, metrics.freshness),
      statusEndpoint(parts, loops, followed),
      parts.erasing.endpoint(() => followed.tracker.epoch),
    ],
  });
  return { http, micro };
}

function readEndpoint(answerRead: AnswerRead, concurrencyMax: number, freshness: FreshnessMonitor): Endpoint {
  return {
    name: "read-features",
    subject: subjects.readFeatures,
    concurrencyMax,
    handle: async ({ data, deadlineMs, replyBytesMax }) => {
      const { reply, encoding } = await answerRead(data, deadlineMs);
      return encodeFittingReply(reply, encoding, replyBytesMax);
    },
    stats: () => ({ freshness: freshness.read() }),
  };
}

function statusEndpoint(parts: Parts, loops: Loops, followed: Followed): Endpoint {
  const { instance, catalog, clock, metrics, serving } = parts;
  const streamState = (lane: Lane) => readStreamState(serving, laneStream[lane]);
  const redis = () => readRedisFacts(parts.reading);
  const { cacheStatus } = followed.source;
  const context = { instance, catalog, clock, ...followed, cacheStatus, metrics, loops, redis, streamState };
  return {
    name: "store-status",
    subject: subjects.storeStatus,
    handle: async () => encodePayload(await storeStatus(context), "json"),
  };
}

async function closedForGood(connection: Connection): Promise<never> {
  throw (await connection.closed) ?? new Error("the broker connection was closed");
}
