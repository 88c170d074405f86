import { TributaryError } from "@tributary/shared/contracts/errors";
import type { ReadCacheStatus } from "@tributary/shared/contracts/status";
import { cachedRecords } from "./adapters/redis-cache.ts";
import type { KnownRun } from "./adapters/redis-cluster-read.ts";
import { type Records, redisRecords } from "./adapters/redis-records.ts";
import { isCluster } from "./adapters/redis-servers.ts";
import { trackReads } from "./adapters/redis-tracking.ts";
import { RecordCache } from "./core/record-cache.ts";
import type { Parts } from "./parts.ts";

/** Where reads get their records from. */
export interface ReadSource {
  /**
   * @param epoch as reads know it; throws while they do not
   * @param knownRun on a cluster: whose answers are of that epoch
   */
  records(epoch: () => string, knownRun: KnownRun): Records;
  /** Undefined: there is no cache. */
  cacheStatus(): ReadCacheStatus | undefined;
  stop(): Promise<void>;
}

/**
 * With a cache, where one is wanted and the instance reads.
 * @throws TributaryError BAD_CONFIG when a cache is wanted and Redis cannot keep one coherent; the parts are closed then
 */
export async function openReadSource(parts: Parts): Promise<ReadSource> {
  const { reading, logger, config } = parts;
  const { readCacheBytes: bytesMax, readCacheLagMsMax: lagMsMax, role } = config;
  if (bytesMax === 0 || role === "writes")
    return {
      records: (_, knownRun) => redisRecords(reading, knownRun),
      cacheStatus: () => undefined,
      stop: async () => {},
    };
  if (isCluster(reading)) {
    await parts.close();
    throw new TributaryError(
      "BAD_CONFIG",
      "READ_CACHE_BYTES must be 0 on a Redis Cluster: the cache follows one server",
    );
  }
  const records = redisRecords(reading);
  const cache = new RecordCache(bytesMax);
  const tracking = await trackReads({ reading, lagMsMax, listener: cache, logger }).catch(async (error: unknown) => {
    await parts.close();
    throw error;
  });
  let bypasses = 0;
  const bypassed = (fetched: number) => {
    bypasses += fetched;
  };
  return {
    records: (epoch) => cachedRecords(records, { cache, tracking, epoch, bypassed }),
    cacheStatus: () => {
      const { bytes, records, counters } = cache;
      return { isOn: tracking.isCurrent(), bytes, bytesMax, records, bypasses, ...counters };
    },
    stop: () => tracking.stop(),
  };
}
