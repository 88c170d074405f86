import { commonOptions, text } from "@tributary/shared/runtime/config";
import { z } from "zod";

export const options = {
  ...commonOptions,
  redisUrl: {
    env: "REDIS_URL",
    schema: text.url("redis", "rediss"),
    help: "Redis server, redis://user:password@host:port, or nodes of a Redis Cluster, …@host:port,host:port; maxmemory-policy must be noeviction",
    secret: true,
  },
  role: {
    env: "STORE_ROLE",
    schema: z.enum(["all", "reads", "writes"]).default("all"),
    help: "all; reads: answers reads and applies nothing; writes: applies the lanes and answers no read; default all",
  },
  httpHost: {
    env: "HTTP_HOST",
    schema: z.string().default("127.0.0.1"),
    help: "address to listen on; default 127.0.0.1",
  },
  httpPort: {
    env: "HTTP_PORT",
    schema: text.integer(7402, { min: 0, max: 65_535 }),
    help: "port to listen on; 0 = any free one; default 7402",
  },
  readConcurrencyMax: {
    env: "READ_CONCURRENCY_MAX",
    schema: text.integer(256, { min: 1, max: 4_096 }),
    help: "reads worked on at once, NATS and HTTP together; above it OVERLOADED; default 256",
  },
  readTimeoutMs: {
    env: "READ_TIMEOUT_MS",
    schema: text.integer(1_000, { min: 10, max: 60_000 }),
    help: "ms Redis has to answer a read before it is UNAVAILABLE; default 1000",
  },
  readCacheBytes: {
    env: "READ_CACHE_BYTES",
    schema: text.integer(0, { min: 0, max: 64 * 1_073_741_824 }),
    help: "bytes of memory for records that are read often, not on a Redis Cluster; default 0 = no cache",
  },
  readCacheLagMsMax: {
    env: "READ_CACHE_LAG_MS_MAX",
    schema: text.integer(1_000, { min: 20, max: 60_000 }),
    help: "ms that a change in Redis may at most be missed by the cache; default 1000",
  },
  batchMessages: {
    env: "APPLY_BATCH_MAX",
    schema: text.integer(64, { min: 1, max: 1_024 }),
    help: "messages of a lane merged in one go; default 64",
  },
  progressMs: {
    env: "PROGRESS_MS",
    schema: text.integer(200, { min: 10, max: 10_000 }),
    help: "ms between looks at the applied floors and confirmations; default 200",
  },
  sweepEveryMs: {
    env: "SWEEP_EVERY_MS",
    schema: text.integer(3_600_000, { min: 100, max: 2_000_000_000 }),
    help: "ms from one walk over all records to the next, which removes what nobody needs; default 3600000",
  },
  sweepRecordsPerSecond: {
    env: "SWEEP_RECORDS_PER_SECOND",
    schema: text.integer(1_000, { min: 10, max: 1_000_000 }),
    help: "records that the walk looks at in a second, at most; default 1000",
  },
  sweepTombstoneAgeMs: {
    env: "SWEEP_TOMBSTONE_AGE_MS",
    schema: text.integer(31 * 86_400_000, { min: 0, max: 1_000 * 86_400_000 }),
    help: "real ms that a withdrawn value's tombstone stays, above all retentions; default 2678400000 (31 days)",
  },
  janitorEveryMs: {
    env: "JANITOR_EVERY_MS",
    schema: text.integer(60_000, { min: 100, max: 2_000_000_000 }),
    help: "ms between looks at how full the row streams are; default 60000",
  },
  janitorKeepMs: {
    env: "JANITOR_KEEP_MS",
    schema: text.integer(600_000, { min: 0, max: 2_000_000_000 }),
    help: "ms that a message stays in its row stream at least, though it is applied; default 600000",
  },
} as const;
