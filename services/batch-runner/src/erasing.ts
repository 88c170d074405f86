import { subjects } from "@tributary/shared/contracts/subjects";
import { openBucket } from "@tributary/shared/messaging/bucket";
import type { Connection, Endpoint } from "@tributary/shared/messaging/contract";
import { openStreamCursor } from "@tributary/shared/messaging/cursor";
import type { CatalogView } from "@tributary/shared/runtime/catalog-client";
import { EntityViews } from "./handlers/entity-views.ts";
import { type ErasureLog, openErasureLog } from "./handlers/erasure-log.ts";
import { followErasures } from "./handlers/follow-erasures.ts";
import type { RunPorts } from "./handlers/run-ports.ts";
import type { RunQueue } from "./handlers/run-queue.ts";
import { verifyErasure } from "./handlers/verify-erasure.ts";

const service = "batch-runner";
const everyMs = 500;

/** @throws TributaryError UNAVAILABLE, MISSING_RESOURCE */
export async function openErasures(
  broker: Connection,
  { now, logger }: Pick<RunPorts, "now" | "logger">,
): Promise<ErasureLog> {
  const stream = "KV_TRIB_ERASURES";
  const open = () => openStreamCursor(broker, { stream, filter: "$KV.TRIB_ERASURES.>", from: 0 });
  const log = openErasureLog({ open, service, logger, now });
  await log.read();
  return log;
}

/** All that the batch lane does about erasures, besides keeping keys out of its runs. */
export interface Erasing {
  /** Answers what is left of an erased key. */
  readonly endpoint: Endpoint;
  stop(): Promise<void>;
}

/** @throws TributaryError UNAVAILABLE, MISSING_RESOURCE */
export async function startErasing(
  ports: RunPorts,
  { broker, catalog, queue }: { readonly broker: Connection; readonly catalog: CatalogView; readonly queue: RunQueue },
): Promise<Erasing> {
  const { instance, logger, erasures: log } = ports;
  const bucket = await openBucket(broker, "TRIB_ERASURES");
  const views = new EntityViews(catalog, logger);
  const following = followErasures({ bucket, log, views, queue, service, instance, logger, everyMs });
  return {
    endpoint: {
      name: "verify-erasure",
      subject: subjects.batchErasure,
      // Each has an engine of its own.
      concurrencyMax: 1,
      handle: async ({ data }) => new TextEncoder().encode(JSON.stringify(await verifyErasure(ports, views, data))),
    },
    stop: () => following.stop(),
  };
}
