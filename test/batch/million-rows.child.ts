import { getHeapStatistics } from "node:v8";
import type { BatchView } from "@tributary/shared/contracts/catalog";
import { workOnView } from "../../services/batch-runner/src/handlers/work-on-view.ts";
import { openBackends } from "./backends.ts";
import { catalogOf, noon, shopSales } from "./definitions.ts";

/** One run of a view with a million rows, in a process with a small heap; tells its counts on standard output. */
const { NATS_URL: natsUrl = "", DATABASE_URL: databaseUrl = "", LAKE: lake = "" } = process.env;
const view: BatchView = {
  ...shopSales,
  name: "million",
  sql: `select shop as code, id as orders, amount as revenue, amount as best from sales`,
};
const backends = await openBackends({ natsUrl, databaseUrl, spill: `${lake}/spill` });
const ports = backends.portsOf(lake);
const engine = await ports.openEngine();
await ports.lake.makeDirectory("raw/sales");
await engine.writeParquet(
  `SELECT i AS id, 'shop-' || i AS shop, i / 8.0 AS amount, TIMESTAMP '2026-01-01' AS sold_at FROM range(1000000) t(i)`,
  ports.lake.absolute("raw/sales/sales.parquet"),
);
engine.close();
const run = { catalog: catalogOf(view), view, intervalEndMs: noon, request: undefined };
await workOnView(ports, { kind: "run", run }, { signal: new AbortController().signal, report: () => undefined });
const [status] = await ports.ledger.recent("million", 1);
const heapMbMax = Math.round(getHeapStatistics().heap_size_limit / 1024 / 1024);
process.stdout.write(JSON.stringify({ counts: status?.counts, heapMbMax }));
await backends.close();
