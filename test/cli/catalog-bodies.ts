import type { BatchView, CatalogBody, DirectView, StreamView } from "@tributary/shared/contracts/catalog";
import { catalogBodySchema } from "@tributary/shared/contracts/catalog";

const minute = 60_000;
const base = { version: 1, entity: "airport", freshnessMs: 10 * minute, ttlMs: null };

export const direct: DirectView = {
  ...base,
  lane: "direct",
  name: "congestion",
  producers: [],
  features: [
    { name: "score", type: "float64" },
    { name: "level", type: "int32" },
  ],
};
export const batch: BatchView = {
  ...base,
  lane: "batch",
  name: "profile",
  sql: "select code, 1::BIGINT as flights from lines",
  sources: ["lines"],
  everyMs: 5 * minute,
  deleteShareMax: 1,
  features: [{ name: "flights", type: "int64" }],
};
export const stream: StreamView = {
  ...base,
  lane: "stream",
  name: "now",
  source: "departures",
  keys: { code: "origin" },
  windows: [{ name: "1h", ms: 60 * minute }],
  hopMs: minute,
  aggregations: [{ name: "n", op: "count" }],
  features: [{ name: "n_1h", type: "int64" }],
};
const column = (view: string, feature: string) => ({ name: feature, view, feature, keys: { code: "code" } });

/** One view a lane, and a feature service over all of them. */
export const firstBody: CatalogBody = catalogBodySchema.parse({
  format: 1,
  partitions: 4,
  entities: { airport: { name: "airport", keys: [{ name: "code", type: "string" }] } },
  sources: {
    departures: {
      kind: "event",
      name: "departures",
      version: 1,
      fields: [
        { name: "origin", type: "string", nullable: false },
        { name: "at", type: "timestamp", nullable: false },
      ],
      eventTime: "at",
      disorderMs: 0,
      shards: 1,
    },
    lines: {
      kind: "table",
      name: "lines",
      format: "csv",
      files: ["raw/lines.csv"],
      fields: [{ name: "code", type: "string", nullable: false }],
    },
  },
  views: { congestion: direct, profile: batch, now: stream },
  featureServices: {
    board: {
      name: "board",
      requestKeys: [{ name: "code", type: "string" }],
      columns: [column("congestion", "score"), column("profile", "flights"), column("now", "n_1h")],
    },
  },
});

/** The body with other views, by name; undefined takes one away, with its columns. */
export function withViews(
  views: Readonly<Record<string, DirectView | BatchView | StreamView | undefined>>,
  body: CatalogBody = firstBody,
): CatalogBody {
  const all = Object.entries({ ...body.views, ...views }).filter(([, view]) => view !== undefined);
  const next = Object.fromEntries(all) as CatalogBody["views"];
  const featureServices = Object.fromEntries(
    Object.entries(body.featureServices).map(([name, service]) => {
      const columns = service.columns.filter(({ view, feature }) =>
        next[view]?.features.some((one) => one.name === feature),
      );
      return [name, { ...service, columns }];
    }),
  );
  return { ...body, views: next, featureServices };
}
