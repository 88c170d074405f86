import { commonOptions, text } from "@tributary/shared/runtime/config";
import { z } from "zod";

export const options = {
  ...commonOptions,
  httpHost: {
    env: "HTTP_HOST",
    schema: z.string().default("127.0.0.1"),
    help: "address to listen on; default 127.0.0.1",
  },
  httpPort: {
    env: "HTTP_PORT",
    schema: text.integer(7401, { min: 0, max: 65_535 }),
    help: "port to listen on; 0 = any free one; default 7401",
  },
  concurrencyMax: {
    env: "WRITE_CONCURRENCY_MAX",
    schema: text.integer(64, { min: 1, max: 4_096 }),
    help: "writes worked on at once, NATS and HTTP together, and as many messages of events; above it OVERLOADED; default 64",
  },
  publishDeadlineMs: {
    env: "PUBLISH_DEADLINE_MS",
    schema: text.integer(2_000, { min: 100, max: 10_000 }),
    help: "ms the broker has to acknowledge a write before the answer is UNKNOWN_OUTCOME; default 2000",
  },
} as const;
