import { openRedisServers } from "@tributary/online-store/adapters/redis-servers";
import { openReadSource } from "@tributary/online-store/caching";
import type { Parts } from "@tributary/online-store/parts";
import { createLogger } from "@tributary/shared/runtime/logger";
import { expect, it, onTestFinished } from "vitest";
import { startRedisCluster } from "../support/redis-cluster.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

it("a read cache is refused on a Redis Cluster, whose masters would each have to tell of their changes", async () => {
  const directory = temporaryDirectory("cache-cluster");
  onTestFinished(() => directory.remove());
  const cluster = await startRedisCluster({ directory: directory.path });
  onTestFinished(() => cluster.stop());
  const logger = createLogger({ name: "test", level: "silent" });
  const reading = await openRedisServers({ url: cluster.url, name: "test", logger, commandTimeoutMs: 5_000 });
  let isClosed = false;
  const close = async () => {
    isClosed = true;
    reading.disconnect();
  };
  const start = (readCacheBytes: number) =>
    openReadSource({ reading, logger, close, config: { readCacheBytes, readCacheLagMsMax: 1_000 } } as Parts);
  expect((await start(0)).cacheStatus()).toBeUndefined();
  expect(isClosed).toBe(false);
  await expect(start(1_000_000)).rejects.toMatchObject({
    code: "BAD_CONFIG",
    message: expect.stringContaining("READ_CACHE_BYTES"),
  });
  expect(isClosed).toBe(true);
});
