import type { BatchView, Catalog } from "@tributary/shared/contracts/catalog";
import type { Feature } from "@tributary/shared/contracts/feature";
import type { TableSource } from "@tributary/shared/contracts/source";

/** One small view over one table: a shop's sales. */
export const every = 15 * 60_000;
export const noon = Date.parse("2026-03-01T12:00:00Z");

export const sales: TableSource = {
  kind: "table",
  name: "sales",
  format: "parquet",
  files: ["raw/sales/*.parquet"],
  fields: [
    { name: "id", type: "int64", nullable: false },
    { name: "shop", type: "string", nullable: false },
    { name: "amount", type: "float64", nullable: true },
    { name: "sold_at", type: "timestamp", nullable: false },
  ],
  unique: ["id"],
};

const features: Feature[] = [
  { name: "orders", type: "int64" },
  { name: "revenue", type: "float64", tolerance: 0.5 },
  { name: "best", type: "float64" },
];

export const shopSales: BatchView = {
  lane: "batch",
  name: "shop_sales",
  version: 1,
  entity: "shop",
  features,
  freshnessMs: 2 * every,
  ttlMs: null,
  sql: `select shop as code, count(*) as orders, sum(amount) as revenue, max(amount) as best
        from sales where sold_at < interval_end() group by shop`,
  sources: ["sales"],
  everyMs: every,
  deleteShareMax: 1,
};

export function catalogOf(view: BatchView = shopSales, source: TableSource = sales): Catalog {
  return {
    format: 1,
    version: 7,
    fingerprint: "test",
    partitions: 8,
    entities: { shop: { name: "shop", keys: [{ name: "code", type: "string" }] } },
    sources: { [source.name]: source },
    views: { [view.name]: view },
    featureServices: {},
  };
}
