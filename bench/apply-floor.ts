import { redisRecords } from "@tributary/online-store/adapters/redis-records";
import { rowsOf } from "@tributary/online-store/core/chunk-rows";
import { applyWrites } from "@tributary/online-store/handlers/apply-writes";
import type { Catalog } from "@tributary/shared/contracts/catalog";
import type { RowsChunk } from "@tributary/shared/contracts/chunk";
import { growHeapFreely } from "@tributary/shared/runtime/heap-growth";
import { benchRedis } from "./read-fill.ts";

/** Left out: connection, scripts and code are warm then, as the store's are. */
const warmUpChunks = 32;

/**
 * The least that applying takes: MGET, merge, compare-and-set, chunk after chunk, in a bare loop. No broker, no decoding of
 * chunks and no checks; only what the rows write is worked out before. Its heap grows as the store's does.
 * @param chunks more than `warmUpChunks`
 * @returns rows a second
 */
export async function applyFloor(redisUrl: string, catalog: Catalog, chunks: readonly RowsChunk[]): Promise<number> {
  growHeapFreely();
  const redis = await benchRedis(redisUrl);
  const records = redisRecords(redis);
  try {
    const prepared = chunks.map((chunk) => writesOf(catalog, chunk));
    let [begun, rows] = [performance.now(), 0];
    for (const [i, writes] of prepared.entries()) {
      if (i === warmUpChunks) [begun, rows] = [performance.now(), 0];
      const { corrupt } = await applyWrites(records, writes);
      if (corrupt.size > 0) throw new Error("a record is corrupt");
      rows += writes.length;
    }
    return rows / ((performance.now() - begun) / 1_000);
  } finally {
    redis.disconnect();
  }
}

function writesOf(catalog: Catalog, chunk: RowsChunk) {
  const view = catalog.views[chunk.view];
  if (view === undefined) throw new Error(`no view "${chunk.view}"`);
  const position = { subject: "", incarnation: 1, sequence: 1, timestampMs: 0 };
  return rowsOf(chunk, view, { catalog, position });
}
