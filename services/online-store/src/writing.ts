import { type Lane, lanes } from "@tributary/shared/contracts/catalog";
import { laneStream } from "@tributary/shared/contracts/topology";
import { startConsumeLoop } from "@tributary/shared/messaging/consume-loop";
import type { ConsumeLoop } from "@tributary/shared/messaging/contract";
import { readStreamState } from "@tributary/shared/messaging/stream-state";
import { redisRecords } from "./adapters/redis-records.ts";
import { openJanitor } from "./cleaning.ts";
import { applyChunks } from "./handlers/apply-chunks.ts";
import { holdDeadLetter } from "./handlers/hold-dead-letter.ts";
import { noReplays, type Replays } from "./handlers/replay-lanes.ts";
import type { ProgressTracker } from "./handlers/track-progress.ts";
import type { Parts } from "./parts.ts";
import { startReplays } from "./replays.ts";
import { openSweep } from "./sweeping.ts";

/** What an instance does to the records, besides erasing. */
export interface Writing {
  /** Nothing is applied before `begin`. */
  readonly loops: ReadonlyMap<Lane, ConsumeLoop>;
  readonly replays: Replays;
  /** Once the epoch is known. @throws TributaryError UNAVAILABLE, MISSING_RESOURCE */
  begin(tracker: ProgressTracker): Promise<void>;
  stop(): Promise<void>;
}

/** Of an instance that only reads: others apply the lanes, read again what Redis has lost, sweep and keep the streams small. */
export const noWriting: Writing = {
  loops: new Map(),
  replays: noReplays,
  begin: async () => {},
  stop: async () => {},
};

/** @throws TributaryError UNAVAILABLE, MISSING_RESOURCE */
export async function openWriting(parts: Parts): Promise<Writing> {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const started = lanes.map(async (lane) => [lane, await startLoop(parts, lane, opened)] as const);
  const loops = new Map(await Promise.all(started));
  const replays = startReplays(parts, loops);
  const housekeeping: { stop(): Promise<void> }[] = [];
  return {
    loops,
    replays,
    begin: async (tracker) => {
      open();
      housekeeping.push(await openSweep(parts), openJanitor(parts, tracker));
    },
    stop: async () => {
      await Promise.all([...loops.values()].map((loop) => loop.stop()));
      await Promise.all([...housekeeping, replays].map((one) => one.stop()));
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
    durable: "online-store",
    lane,
    process: "online-store",
    batchMax: config.batchMessages,
    handle: (batch) => applyChunks(context, batch),
    beforeDeadLetter: holdDeadLetter(progress, { lane, incarnation }),
  });
}
