import { defaultPartitions, lanes } from "@tributary/shared/contracts/catalog";
import { laneStream } from "@tributary/shared/contracts/topology";
import { openBucket } from "@tributary/shared/messaging/bucket";
import { readStoredMessage } from "@tributary/shared/messaging/stream-message";
import { readStreamState } from "@tributary/shared/messaging/stream-state";
import { redisLease } from "./adapters/redis-lease.ts";
import { redisRecords } from "./adapters/redis-records.ts";
import { redisSweep } from "./adapters/redis-sweep.ts";
import { isWhole } from "./core/partition-life.ts";
import { storeKeys } from "./core/store-keys.ts";
import { namedSections } from "./handlers/named-sections.ts";
import { type Sweep, startSweep } from "./handlers/sweep-records.ts";
import type { Parts } from "./parts.ts";

/** Renewed every page; another instance goes on with a dead one's round after this. */
const leaseMs = 30_000;

/** The background walk over all records. @throws TributaryError UNAVAILABLE, MISSING_RESOURCE */
export async function openSweep(parts: Parts): Promise<Sweep> {
  const { writing, serving, catalog, config, metrics, logger } = parts;
  const oldestOf = async (stream: string): Promise<number> => {
    const { firstSequence, messages } = await readStreamState(serving, stream);
    const first = messages === 0 ? undefined : await readStoredMessage(serving, stream, { seq: firstSequence });
    // Gone meanwhile: nothing is claimed of the stream.
    return first?.timestampMs ?? (messages === 0 ? Number.POSITIVE_INFINITY : 0);
  };
  return startSweep({
    records: redisRecords(writing),
    store: redisSweep(writing),
    sections: namedSections(await openBucket(serving, "TRIB_CATALOG"), catalog),
    lease: redisLease(writing, storeKeys.sweep, leaseMs),
    incomplete: () => incompletePartitions(parts),
    oldestMs: async () => Math.min(...(await Promise.all(lanes.map((lane) => oldestOf(laneStream[lane]))))),
    counters: metrics.sweep,
    logger,
    everyMs: config.sweepEveryMs,
    recordsPerSecond: config.sweepRecordsPerSecond,
    tombstoneAgeMs: config.sweepTombstoneAgeMs,
  });
}

/** What Redis has lost is read again there, or is in the streams no longer. */
async function incompletePartitions({ lives, progress, catalog }: Parts): Promise<ReadonlySet<number>> {
  const found = await lives.advance(catalog.current?.partitions ?? defaultPartitions, new Map());
  const loaded = await progress.load(found.map(({ floors }) => floors));
  const hasGap = (partition: number) => loaded[partition]?.holds.some(({ view }) => view === "*") === true;
  return new Set(found.flatMap((life, partition) => (isWhole(life) && !hasGap(partition) ? [] : [partition])));
}
