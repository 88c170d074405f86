import type { Lane } from "@tributary/shared/contracts/catalog";
import { subjects } from "@tributary/shared/contracts/subjects";
import { laneStream } from "@tributary/shared/contracts/topology";
import type { ConsumeLoop } from "@tributary/shared/messaging/contract";
import { openCursor } from "@tributary/shared/messaging/cursor";
import { readStreamState } from "@tributary/shared/messaging/stream-state";
import { redisLease } from "./adapters/redis-lease.ts";
import { redisRecords } from "./adapters/redis-records.ts";
import { isCluster } from "./adapters/redis-servers.ts";
import { storeKeys } from "./core/store-keys.ts";
import { holdDeadLetter } from "./handlers/hold-dead-letter.ts";
import { createReplays, type Replays } from "./handlers/replay-lanes.ts";
import type { Parts } from "./parts.ts";

/** Renewed several times a second; another instance goes on with a dead one's replay after this. */
const replayLeaseMs = 5_000;

/** Every instance has asked several times meanwhile who holds the slots (see redis-cluster.ts). */
const clusterSettleMs = 5_000;

/** Beside the loops, so that what is new does not wait for what Redis has lost. */
export function startReplays(parts: Parts, loops: ReadonlyMap<Lane, ConsumeLoop>): Replays {
  const { consuming, writing, catalog, progress, lives, metrics, config, logger, erasing } = parts;
  const records = redisRecords(writing);
  const { erasedAt } = erasing;
  const shared = { catalog, records, progress, erasedAt, opened: Promise.resolve() };
  const ofLoop = ([lane, loop]: readonly [Lane, ConsumeLoop]) => {
    const { incarnation } = loop;
    return {
      lane,
      context: { ...shared, incarnation, counters: metrics.replays[lane], outage: metrics.outages[lane] },
      hold: holdDeadLetter(progress, { lane, incarnation }),
      delivered: () => loop.delivered(),
      open: (from: number) =>
        openCursor(consuming, { stream: laneStream[lane], filter: subjects.rowsOfLane(lane), from, incarnation }),
      batchMax: config.batchMessages,
    };
  };
  return createReplays({
    lanes: [...loops].map(ofLoop),
    streamState: (lane) => readStreamState(consuming, laneStream[lane]),
    lives,
    progress,
    lease: redisLease(writing, storeKeys.replay, replayLeaseMs),
    logger,
    settleMs: isCluster(writing) ? clusterSettleMs : 0,
  });
}
