import { commonOptions, text } from "@tributary/shared/runtime/config";
import { z } from "zod";

export const options = {
  ...commonOptions,
  databaseUrl: {
    env: "DATABASE_URL",
    schema: text.url("postgres", "postgresql"),
    help: "PostgreSQL for the ledger, postgres://user:password@host:port/database",
    secret: true,
  },
  lake: { env: "TRIBUTARY_LAKE", schema: text.string, help: "directory of the lake: raw, refined, features, stage" },
  schedule: {
    env: "BATCH_SCHEDULE",
    schema: z.enum(["on", "off"]).default("on"),
    help: "on: every batch view runs each `every` on the clock; off: only when asked; default on",
  },
  memoryMb: {
    env: "BATCH_MEMORY_MB",
    schema: text.integer(1_024, { min: 128, max: 1_048_576 }),
    help: "memory of the SQL engine, MB; more spills to the lake's temporary directory; default 1024",
  },
  temporaryMb: {
    env: "BATCH_TEMPORARY_MB",
    schema: text.integer(20_480, { min: 128, max: 16_777_216 }),
    help: "disk that a spilling query may take, MB; default 20480",
  },
  threads: {
    env: "BATCH_THREADS",
    schema: text.integer(2, { min: 1, max: 256 }),
    help: "threads of the SQL engine; default 2",
  },
  queueMax: {
    env: "BATCH_QUEUE_MAX",
    schema: text.integer(64, { min: 1, max: 10_000 }),
    help: "runs that may wait; above it OVERLOADED; default 64",
  },
  sourceUrls: {
    env: "SOURCE_<NAME>_URL",
    schema: text.named(text.url("postgres", "postgresql")),
    help: "PostgreSQL that table sources of connection <name> read; give it a user that may only read",
    secret: true,
  },
  sourceTimeoutMs: {
    env: "BATCH_SOURCE_TIMEOUT_MS",
    schema: text.integer(300_000, { min: 100, max: 86_400_000 }),
    help: "ms that one statement of a source's query may take; default 300000",
  },
  sourceRowsMax: {
    env: "BATCH_SOURCE_ROWS_MAX",
    schema: text.integer(100_000_000, { min: 1, max: 10_000_000_000 }),
    help: "rows that a source's query may give; more are refused; default 100000000",
  },
  leaseMs: {
    env: "BATCH_LEASE_MS",
    schema: text.integer(30_000, { min: 500, max: 600_000 }),
    help: "ms without a sign of life after which another runner may take a view; default 30000",
  },
  retryMs: {
    env: "BATCH_RETRY_MS",
    schema: text.integer(10_000, { min: 100, max: 3_600_000 }),
    help: "ms before a scheduled run that failed, or a staged one, is tried again; default 10000",
  },
} as const;
