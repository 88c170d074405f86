import type { RequestRow } from "@tributary/client/tributary";
import { redisRecords } from "@tributary/online-store/adapters/redis-records";
import { knowingShapes } from "@tributary/online-store/adapters/redis-shapes";
import { CellColumns } from "@tributary/online-store/core/cell-columns";
import { compileReadPlan, type ReadPlan } from "@tributary/online-store/core/read-plan";
import { locateRows } from "@tributary/online-store/core/read-rows";
import { readRecord } from "@tributary/online-store/core/record-read";
import type { Catalog } from "@tributary/shared/contracts/catalog";
import { benchRedis } from "./read-fill.ts";
import type { Reader } from "./read-target.ts";

/**
 * The least that an answer takes: MGET of the records and decoding of the wanted cells. Which records a request needs is worked
 * out before; there is no request, no reply, no default, no ttl and no catalog.
 */
export async function floorReader(redisUrl: string, catalog: Catalog): Promise<Reader> {
  const redis = await benchRedis(redisUrl);
  const records = redisRecords(redis);
  return {
    prepare: (service, pool) => {
      const plan = compileReadPlan(catalog, service);
      const located = pool.map((rows) => locate(plan, rows));
      return async (request) => {
        const { keys, places } = located[request % located.length] as Located;
        const found = await records.read(keys);
        return knowingShapes(records.shapes, keys, () => decodeAll(plan, places, { found, shapes: records.shapes }));
      };
    },
    close: async () => redis.disconnect(),
  };
}

interface Located {
  readonly keys: readonly string[];
  /** By fetch: the records it needs, each once. */
  readonly places: readonly (readonly number[])[];
}

function locate(plan: ReadPlan, rows: readonly RequestRow[]): Located {
  const { keys, places } = locateRows(plan, plan.columns, rows);
  return { keys, places: places.map((one) => [...new Set(one)]) };
}

interface Found {
  readonly found: readonly (Buffer | null)[];
  readonly shapes: ReturnType<typeof redisRecords>["shapes"];
}

/** How many cells there are. */
function decodeAll(plan: ReadPlan, places: Located["places"], { found, shapes }: Found): number {
  let cells = 0;
  for (const [index, { record }] of plan.fetches.entries()) {
    const into = new CellColumns(record.size, found.length);
    for (const place of places[index] ?? []) {
      const bytes = found[place] ?? null;
      if (bytes === null) continue;
      readRecord(bytes, place, { plan: record, shapes, nowMs: 0, into });
      cells += record.size;
    }
  }
  return cells;
}
