import { openBucket } from "@tributary/shared/messaging/bucket";
import { openConnection } from "@tributary/shared/messaging/connection";
import type { Connection } from "@tributary/shared/messaging/contract";
import { type CatalogView, watchCatalog } from "@tributary/shared/runtime/catalog-client";
import { type Clock, watchClock } from "@tributary/shared/runtime/clock-client";
import type { Config } from "@tributary/shared/runtime/config";
import type { Logger } from "@tributary/shared/runtime/logger";
import { type Lives, redisLives } from "./adapters/redis-lives.ts";
import { type Progress, redisProgress } from "./adapters/redis-progress.ts";
import { openRedisServers, type RedisServers } from "./adapters/redis-servers.ts";
import { type RedisSession, redisSession } from "./adapters/redis-session.ts";
import type { options } from "./config.ts";
import { type Erasing, openErasing } from "./erasing.ts";
import { createMetrics, type Metrics } from "./metrics.ts";

/** A write may wait behind a long script or a busy disk; a read may not. */
const writeTimeoutMs = 10_000;

/** What the service is put together from. */
export interface Parts {
  readonly config: Config<typeof options>;
  readonly instance: string;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** A broker and a Redis connection for the lanes and others for reads, so that a backfill never stands before a read. */
  readonly consuming: Connection;
  readonly serving: Connection;
  readonly writing: RedisServers;
  readonly reading: RedisServers;
  readonly catalog: CatalogView;
  readonly clock: Clock;
  readonly erasing: Erasing;
  readonly progress: Progress;
  readonly lives: Lives;
  readonly readingSession: RedisSession;
  readonly writingSession: RedisSession;
  close(): Promise<void>;
}

export interface Surroundings {
  readonly logger: Logger;
  readonly instance: string;
}

/** @throws TributaryError UNAVAILABLE, MISSING_RESOURCE, BAD_CONFIG */
export async function openParts(config: Parts["config"], { logger, instance }: Surroundings): Promise<Parts> {
  const connect = (purpose: string) => openConnection({ url: config.natsUrl, name: `${instance}-${purpose}`, logger });
  const redis = (purpose: string, commandTimeoutMs: number) =>
    openRedisServers({ url: config.redisUrl, name: `${instance}-${purpose}`, logger, commandTimeoutMs });
  const [consuming, serving, writing, reading] = await Promise.all([
    connect("consume"),
    connect("serve"),
    redis("write", writeTimeoutMs),
    redis("read", config.readTimeoutMs),
  ]);
  const sessions = { readingSession: redisSession(reading), writingSession: redisSession(writing) };
  const [catalog, clock] = await Promise.all([
    openBucket(serving, "TRIB_CATALOG").then((bucket) =>
      watchCatalog(bucket, (error) => logger.error({ error: String(error) }, "a newer catalog cannot be taken up")),
    ),
    openBucket(serving, "TRIB_CLOCK").then(watchClock),
  ]);
  const progress = { progress: redisProgress(writing), lives: redisLives(writing), ...sessions };
  const metrics = createMetrics(logger);
  const store = { service: "online-store", instance, logger };
  const erasing = await openErasing({ ...store, broker: serving, redis: writing, catalog });
  const close = async () => {
    await Promise.all([catalog.stop(), clock.stop()]);
    await Promise.all([serving.close(), consuming.close()]);
    for (const one of [writing, reading]) one.disconnect();
  };
  return {
    config,
    instance,
    logger,
    metrics,
    ...progress,
    consuming,
    serving,
    writing,
    reading,
    catalog,
    clock,
    erasing,
    close,
  };
}
