import { defaultPartitions, type Lane } from "@tributary/shared/contracts/catalog";
import { consumerTable, laneStream } from "@tributary/shared/contracts/topology";
import { readConsumerState } from "@tributary/shared/messaging/consumer-state";
import type { Connection } from "@tributary/shared/messaging/contract";
import { readStreamFill, removeStoredMessage } from "@tributary/shared/messaging/stream-cleaning";
import { readStoredMessage } from "@tributary/shared/messaging/stream-message";
import { readStreamState } from "@tributary/shared/messaging/stream-state";
import { redisLease } from "./adapters/redis-lease.ts";
import { storeKeys } from "./core/store-keys.ts";
import { type Janitor, type RowStream, startJanitor } from "./handlers/clean-streams.ts";
import type { ProgressTracker } from "./handlers/track-progress.ts";
import type { Parts } from "./parts.ts";

const leaseMs = 10_000;

/** What keeps the row streams from filling up. */
export function openJanitor(parts: Parts, tracker: ProgressTracker): Janitor {
  const { serving, writing, progress, catalog, config, metrics, logger } = parts;
  return startJanitor({
    streams: {
      batch: rowStream(serving, "batch"),
      stream: rowStream(serving, "stream"),
      direct: rowStream(serving, "direct"),
    },
    appliedFloor: (lane) => tracker.floors.get(lane)?.sequence ?? 0,
    heldSequences: async (lane) => {
      const partitions = catalog.current?.partitions ?? defaultPartitions;
      const loaded = await progress.load(Array.from({ length: partitions }, () => new Map()));
      const holds = loaded.flatMap((partition) => partition.holds).filter((hold) => hold.lane === lane);
      return new Set(holds.map((hold) => hold.sequence));
    },
    lease: redisLease(writing, storeKeys.janitor, leaseMs),
    counters: metrics.janitor,
    logger,
    everyMs: config.janitorEveryMs,
    keepMs: config.janitorKeepMs,
  });
}

function rowStream(broker: Connection, lane: Lane): RowStream {
  const stream = laneStream[lane];
  const durables = consumerTable.filter((spec) => spec.stream === stream).map((spec) => spec.durable);
  return {
    fullness: async () => ({ ...(await readStreamState(broker, stream)), ...(await readStreamFill(broker, stream)) }),
    ackFloor: async () => {
      const states = await Promise.all(durables.map((durable) => readConsumerState(broker, stream, durable)));
      return Math.min(...states.map((state) => state.ackFloor));
    },
    messageAt: (seq) => readStoredMessage(broker, stream, { seq, next_by_subj: ">" }),
    remove: (sequence) => removeStoredMessage(broker, stream, sequence),
  };
}
