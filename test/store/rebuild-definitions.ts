import type { CatalogBody } from "@tributary/shared/contracts/catalog";
import { count, mean } from "@tributary/shared/definitions/aggregation";
import { compileDefinitions } from "@tributary/shared/definitions/compile";
import { entity } from "@tributary/shared/definitions/entity";
import { featureService } from "@tributary/shared/definitions/feature-service";
import { float64, int64, string, timestamp } from "@tributary/shared/definitions/feature-type";
import { eventSource, tableSource } from "@tributary/shared/definitions/source";
import { batchView, directView, streamView } from "@tributary/shared/definitions/view";

/** One view a lane, of one entity, read together. */
const shop = entity("shop", { key: { code: string() } });
const sales = tableSource("sales", {
  format: "csv",
  files: ["raw/sales/*.csv"],
  fields: { code: string(), amount: float64({ nullable: true }), note: string({ nullable: true }) },
});
const visits = eventSource("visits", {
  fields: { code: string(), seconds: float64(), at: timestamp() },
  eventTime: "at",
  disorder: "1h",
});

export const totals = batchView("totals", {
  entity: shop,
  from: [sales],
  sql: "select code, count(*) as sold, sum(amount) as revenue, max(note) as note from sales group by code",
  every: "15m",
  freshness: "40m",
  deleteShareMax: 1,
  features: { sold: int64(), revenue: float64(), note: string() },
});
export const lately = streamView("lately", {
  entity: shop,
  from: visits,
  keys: { code: "code" },
  windows: ["1h"],
  hop: "1m",
  freshness: "10m",
  features: { visits: count(), stay: mean("seconds") },
});
export const judged = directView("judged", {
  entity: shop,
  producers: ["desk"],
  freshness: "1h",
  features: { score: float64(), reason: string() },
});
export const everything = featureService("everything", [totals, lately, judged]);

export const partitions = 8;
export const body: CatalogBody = compileDefinitions([everything], { partitions });
