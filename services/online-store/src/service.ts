import { encodePayload } from "@tributary/shared/codec/json-or-msgpack";
import { defaultPartitions, type Lane } from "@tributary/shared/contracts/catalog";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { columnsHeader } from "@tributary/shared/contracts/read";
import { subjects } from "@tributary/shared/contracts/subjects";
import { laneStream } from "@tributary/shared/contracts/topology";
import type { Connection, Endpoint, MicroService } from "@tributary/shared/messaging/contract";
import { serveEndpoints } from "@tributary/shared/messaging/endpoints";
import { readStreamState } from "@tributary/shared/messaging/stream-state";
import { processStats } from "@tributary/shared/runtime/catalog-client";
import type { Config } from "@tributary/shared/runtime/config";
import type { RunningService } from "@tributary/shared/runtime/run-service";
import { type HttpServer, startHttpServer } from "./adapters/http-server.ts";
import { readRedisFacts } from "./adapters/redis-facts.ts";
import { anyAnswers } from "./adapters/redis-servers.ts";
import { openReadSource, type ReadSource } from "./caching.ts";
import type { options } from "./config.ts";
import { laneView } from "./core/filled.ts";
import { encodeFittingReply } from "./core/fitting-reply.ts";
import { type AnswerRead, createAnswerRead } from "./handlers/answer-read.ts";
import { checkReady } from "./handlers/check-ready.ts";
import { planCache } from "./handlers/read-features.ts";
import { freshnessSampler } from "./handlers/sample-freshness.ts";
import { storeStatus } from "./handlers/store-status.ts";
import { type ProgressTracker, trackProgress } from "./handlers/track-progress.ts";
import { countOnDemandFailures, metricsText } from "./metrics.ts";
import { openParts, type Parts, type Surroundings } from "./parts.ts";
import { noWriting, openWriting, type Writing } from "./writing.ts";

const name = "online-store";
const version = "0.1.0";

/** Builds the service from its parts. @throws TributaryError UNAVAILABLE, MISSING_RESOURCE, BAD_CONFIG */
export async function startStore(config: Config<typeof options>, surroundings: Surroundings): Promise<RunningService> {
  const parts = await openParts(config, surroundings);
  const source = await openReadSource(parts);
  const writing = config.role === "reads" ? noWriting : await openWriting(parts);
  const tracker = await track(parts, writing);
  parts.erasing.start(() => tracker.epoch);
  await writing.begin(tracker);
  const { http, micro } = await serve(parts, { tracker, writing, source });
  return {
    failed: Promise.race([
      micro.failed,
      ...[...writing.loops.values()].map((loop) => loop.failed),
      closedForGood(parts.consuming),
      closedForGood(parts.serving),
    ]),
    stop: async () => {
      await Promise.all([micro.stop(), http.close(), writing.stop()]);
      await parts.erasing.stop();
      await Promise.all([tracker.stop(), source.stop()]);
      await parts.close();
    },
  };
}

function track(parts: Parts, { loops, replays }: Writing): Promise<ProgressTracker> {
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
  readonly writing: Writing;
  readonly source: ReadSource;
}

async function serve(
  parts: Parts,
  followed: Followed,
): Promise<{ readonly http: HttpServer; readonly micro: MicroService }> {
  const { config, metrics, catalog } = parts;
  catalog.onChange(({ views }) => metrics.freshness.keep(views));
  const { role, readConcurrencyMax } = config;
  const answerRead = role === "writes" ? refuseRead : readAnswerer(parts, followed);
  const rejected = (lane: Lane) => followed.writing.loops.get(lane)?.counters.rejected ?? 0;
  const http = await startHttpServer({
    host: config.httpHost,
    port: config.httpPort,
    answerRead,
    checkReady: () => checkReady(catalog, () => anyAnswers(parts.reading)),
    metricsText: () => metricsText(metrics, rejected, followed.source.cacheStatus()),
  });
  const freshness = () => ({ freshness: metrics.freshness.read() });
  const reading = { ...readEndpoint(answerRead, readConcurrencyMax), stats: freshness };
  const status = statusEndpoint(parts, followed);
  const ofRole: Readonly<Record<typeof role, readonly Endpoint[]>> = {
    all: [reading, status],
    // How far the lanes are is for those to say who bring them there.
    reads: [reading],
    writes: [{ ...status, stats: freshness }],
  };
  const micro = await serveEndpoints(parts.serving, {
    name,
    version,
    description: "one record per entity: merges the three lanes, answers reads",
    metadata: { instance: parts.instance, http: http.url, role },
    stats: () => processStats(catalog),
    endpoints: [...ofRole[role], parts.erasing.endpoint(() => followed.tracker.epoch)],
  });
  return { http, micro };
}

function readAnswerer(parts: Parts, { tracker, source }: Followed): AnswerRead {
  const { config, metrics, catalog, clock, logger } = parts;
  const context = {
    catalog,
    clock,
    records: source.records(
      () => tracker.state.epoch,
      (partition) => tracker.state.run(partition),
    ),
    state: tracker.state,
    plan: planCache(catalog),
    onDemandFailed: (feature: string, rows: number) => countOnDemandFailures(metrics, feature, rows),
    sampleRead: freshnessSampler(metrics.freshness),
  };
  return createAnswerRead(context, { concurrencyMax: config.readConcurrencyMax, counters: metrics.reads, logger });
}

async function refuseRead(): Promise<never> {
  throw new TributaryError("UNAVAILABLE", "this instance answers no reads (STORE_ROLE=writes): ask another one");
}

function readEndpoint(answerRead: AnswerRead, concurrencyMax: number): Endpoint {
  return {
    name: "read-features",
    subject: subjects.readFeatures,
    concurrencyMax,
    handle: async ({ data, headers, deadlineMs, replyBytesMax }) => {
      const { reply, form } = await answerRead({ body: data, deadlineMs, columns: headers[columnsHeader] });
      return encodeFittingReply(reply, form, replyBytesMax);
    },
  };
}

function statusEndpoint(parts: Parts, { tracker, writing, source }: Followed): Endpoint {
  const { instance, catalog, clock, metrics, serving } = parts;
  const streamState = (lane: Lane) => readStreamState(serving, laneStream[lane]);
  const redis = () => readRedisFacts(parts.reading);
  const { cacheStatus } = source;
  const context = { instance, catalog, clock, tracker, ...writing, cacheStatus, metrics, redis, streamState };
  return {
    name: "store-status",
    subject: subjects.storeStatus,
    handle: async () => encodePayload(await storeStatus(context), "json"),
  };
}

async function closedForGood(connection: Connection): Promise<never> {
  throw (await connection.closed) ?? new Error("the broker connection was closed");
}
