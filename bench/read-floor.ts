import { redisRecords } from "@tributary/online-store/adapters/redis-records";
import { knowingShapes } from "@tributary/online-store/adapters/redis-shapes";
import { CellColumns } from "@tributary/online-store/core/cell-columns";
import { compileReadPlan, type ReadPlan } from "@tributary/online-store/core/read-plan";
import { type LocatedRows, locateRows } from "@tributary/online-store/core/read-rows";
import { readRecords } from "@tributary/online-store/core/record-read";
import type { Catalog } from "@tributary/shared/contracts/catalog";
import { growHeapFreely } from "@tributary/shared/runtime/heap-growth";
import { benchRedis } from "./read-fill.ts";
import type { Reader } from "./read-target.ts";

/**
 * The least that an answer takes: MGET of the records and decoding of the wanted cells. Which records a request needs is worked
 * out before; there is no request, no reply, no default, no ttl and no catalog. Its heap grows as the store's does.
 */
export async function floorReader(redisUrl: string, catalog: Catalog): Promise<Reader> {
  growHeapFreely();
  const redis = await benchRedis(redisUrl);
  const records = redisRecords(redis);
  return {
    prepare: (service, pool) => {
      const plan = compileReadPlan(catalog, service);
      const located = pool.map((rows) => locateRows(plan, plan.columns, rows));
      return async (request) => {
        const { keys, fetches } = located[request % located.length] as LocatedRows;
        const found = await records.read(keys);
        return knowingShapes(records.shapes, keys, () => decodeAll(plan, fetches, { found, shapes: records.shapes }));
      };
    },
    close: async () => redis.disconnect(),
  };
}

interface Found {
  readonly found: readonly (Buffer | null)[];
  readonly shapes: ReturnType<typeof redisRecords>["shapes"];
}

/** How many cells were asked for. */
function decodeAll(plan: ReadPlan, fetches: LocatedRows["fetches"], { found, shapes }: Found): number {
  let cells = 0;
  for (const [index, { record }] of plan.fetches.entries()) {
    const wanted = fetches[index]?.records ?? [];
    const into = new CellColumns(record.size, wanted.length);
    readRecords(found, wanted, { plan: record, shapes, nowMs: 0, into });
    cells += record.size * wanted.length;
  }
  return cells;
}
