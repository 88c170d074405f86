import { encodePayload } from "@tributary/shared/codec/json-or-msgpack";
import { asTributaryError } from "@tributary/shared/contracts/errors";
import { subjects } from "@tributary/shared/contracts/subjects";
import { openBucket } from "@tributary/shared/messaging/bucket";
import { openConnection } from "@tributary/shared/messaging/connection";
import type { Connection } from "@tributary/shared/messaging/contract";
import { serveEndpoints } from "@tributary/shared/messaging/endpoints";
import { createPublisher } from "@tributary/shared/messaging/publisher";
import { readStreamState } from "@tributary/shared/messaging/stream-state";
import { processStats, watchCatalog } from "@tributary/shared/runtime/catalog-client";
import { watchClock } from "@tributary/shared/runtime/clock-client";
import { createGate } from "@tributary/shared/runtime/concurrency-gate";
import type { Config } from "@tributary/shared/runtime/config";
import type { Logger } from "@tributary/shared/runtime/logger";
import type { RunningService } from "@tributary/shared/runtime/run-service";
import { startHttpServer } from "./adapters/http-server.ts";
import type { options } from "./config.ts";
import { checkReady } from "./handlers/check-ready.ts";
import { type EventsAnswer, type EventsRequest, publishEvents } from "./handlers/publish-events.ts";
import type { WriteContext } from "./handlers/write-context.ts";
import { type WriteAnswer, writeRows } from "./handlers/write-rows.ts";
import { createMetrics } from "./metrics.ts";

const version = "0.1.0";
const lane = "TRIB_ROWS_DIRECT";
/** A write of the largest size touches each partition once; so no admitted write waits for room. */
const chunksPerWriteMax = 64;

type Settings = Config<typeof options>;
interface Surroundings {
  readonly logger: Logger;
  readonly instance: string;
}

/** Builds the service from its parts. @throws TributaryError UNAVAILABLE, MISSING_RESOURCE, BAD_CONFIG */
export async function startGateway(config: Settings, surroundings: Surroundings): Promise<RunningService> {
  const connect = (purpose: string) =>
    openConnection({ url: config.natsUrl, name: `${surroundings.instance}-${purpose}`, logger: surroundings.logger });
  // Apart, so that a burst of publishes never stands in front of an answer.
  const [serving, publishing] = await Promise.all([connect("serve"), connect("publish")]);
  const context = await openContext(config, surroundings, { serving, publishing });
  const write = createWrite(context, config.concurrencyMax);
  const events = openEvents(context, config, publishing);
  const http = await startHttpServer({
    host: config.httpHost,
    port: config.httpPort,
    write,
    publish: events.publish,
    checkReady: () => checkReady(context.catalog, () => readStreamState(serving, lane)),
    metricsText: context.metrics.text,
  });
  const micro = await serveEndpoints(serving, {
    name: "direct-gateway",
    version,
    description: "direct lane: validated feature writes",
    metadata: { instance: surroundings.instance, http: http.url },
    stats: () => processStats(context.catalog),
    endpoints: [
      {
        name: "write-rows",
        subject: subjects.writeRows,
        concurrencyMax: config.concurrencyMax,
        handle: async ({ data }) => {
          const { reply, encoding } = await write(data);
          return encodePayload(reply, encoding);
        },
      },
    ],
  });
  return {
    failed: Promise.race([micro.failed, closedForGood(serving), closedForGood(publishing)]),
    stop: async () => {
      await Promise.all([micro.stop(), http.close()]);
      await Promise.all([context.catalog.stop(), context.clock.stop(), context.publisher.close(), events.close()]);
      await Promise.all([serving.close(), publishing.close()]);
    },
  };
}

async function openContext(
  config: Settings,
  { logger, instance }: Surroundings,
  { serving, publishing }: { serving: Connection; publishing: Connection },
): Promise<WriteContext> {
  const publisher = createPublisher(publishing, {
    stream: lane,
    inFlightMax: config.concurrencyMax * chunksPerWriteMax,
    inFlightBytesMax: 64 * 1024 * 1024,
    ackTimeoutMs: Math.ceil(config.publishDeadlineMs / 3),
    deadlineMs: config.publishDeadlineMs,
  });
  const [catalog, clock, idempotency] = await Promise.all([
    openBucket(serving, "TRIB_CATALOG").then((bucket) =>
      watchCatalog(bucket, (error) => logger.error({ error: String(error) }, "a newer catalog cannot be taken up")),
    ),
    openBucket(serving, "TRIB_CLOCK").then(watchClock),
    openBucket(serving, "TRIB_IDEMPOTENCY"),
    // Known before the first write, which then never waits for it.
    publisher.incarnation(),
  ]);
  const { publishDeadlineMs } = config;
  return { instance, logger, catalog, clock, idempotency, publisher, publishDeadlineMs, metrics: createMetrics() };
}

/** The one way in, for NATS and HTTP alike: bounded, counted. */
function createWrite(
  context: WriteContext,
  concurrencyMax: number,
): (body: Uint8Array, view?: string) => Promise<WriteAnswer> {
  const gate = createGate(concurrencyMax, "writes");
  return (body, view) => counted(context, () => gate(() => writeRows(context, body, view)));
}

/** Events have a gate and a publisher of their own, so that a burst of them never stands in front of a write. */
function openEvents(
  context: WriteContext,
  { concurrencyMax, publishDeadlineMs }: Settings,
  publishing: Connection,
): { publish(request: EventsRequest): Promise<EventsAnswer>; close(): Promise<void> } {
  const publisher = createPublisher(publishing, {
    stream: "TRIB_EVENTS",
    inFlightMax: concurrencyMax,
    ackTimeoutMs: Math.ceil(publishDeadlineMs / 3),
    deadlineMs: publishDeadlineMs,
  });
  const gate = createGate(concurrencyMax, "messages of events");
  const { metrics } = context;
  return {
    publish: (request) => counted(context, () => gate(() => publishEvents({ publisher, metrics }, request))),
    close: () => publisher.close(),
  };
}

async function counted<T>({ metrics, logger }: WriteContext, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    const error = asTributaryError(thrown);
    metrics.countError(error.code);
    if (error.code === "INTERNAL") logger.error({ err: thrown }, "a request failed");
    throw error;
  }
}

async function closedForGood(connection: Connection): Promise<never> {
  throw (await connection.closed) ?? new Error("the broker connection was closed");
}
