import { commonOptions, text } from "@tributary/shared/runtime/config";

export const options = {
  ...commonOptions,
  databaseUrl: {
    env: "DATABASE_URL",
    schema: text.url("postgres", "postgresql"),
    help: "PostgreSQL with the window state, postgres://user:password@host:port/database",
    secret: true,
  },
  databaseConnectionsMax: {
    env: "DATABASE_CONNECTIONS_MAX",
    schema: text.integer(6, { min: 2, max: 64 }),
    help: "database connections; default 6",
  },
  leaseTtlMs: {
    env: "LEASE_TTL_MS",
    schema: text.integer(10_000, { min: 1_000, max: 300_000 }),
    help: "ms after which another instance takes over what this one no longer renews; default 10000",
  },
  coalesceMs: {
    env: "COALESCE_MS",
    schema: text.integer(200, { min: 20, max: 10_000 }),
    help: "real ms between two publications of changed rows; default 200",
  },
  commitMs: {
    env: "COMMIT_MS",
    schema: text.integer(2_000, { min: 100, max: 60_000 }),
    help: "real ms between two commits of window state; default 2000",
  },
  markMs: {
    env: "MARK_MS",
    schema: text.integer(1_000, { min: 100, max: 60_000 }),
    help: "real ms between two marks and two confirmations; default 1000",
  },
  routeBatchMax: {
    env: "ROUTE_BATCH_MAX",
    schema: text.integer(256, { min: 1, max: 5_000 }),
    help: "event messages read ahead per source and shard; default 256",
  },
  keyedBufferMax: {
    env: "KEYED_BUFFER_MAX",
    schema: text.integer(16, { min: 1, max: 1_024 }),
    help: "messages read ahead per partition, each at most 512 KiB; default 16",
  },
} as const;
