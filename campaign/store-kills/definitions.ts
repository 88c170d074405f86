import type { Catalog, Lane } from "@tributary/shared/contracts/catalog";
import { count, mean } from "@tributary/shared/definitions/aggregation";
import { fingerprintOf } from "@tributary/shared/definitions/canonical-json";
import { compileDefinitions } from "@tributary/shared/definitions/compile";
import { entity } from "@tributary/shared/definitions/entity";
import { featureService } from "@tributary/shared/definitions/feature-service";
import { float64, int64, string, timestamp } from "@tributary/shared/definitions/feature-type";
import { eventSource, tableSource } from "@tributary/shared/definitions/source";
import { batchView, directView, streamView } from "@tributary/shared/definitions/view";

/** One view of each lane, all of one entity, so that they meet in one record. */
const airport = entity("airport", { key: { code: string() } });
const departures = eventSource("departures", {
  fields: { origin: string(), delay: float64(), at: timestamp() },
  eventTime: "at",
  disorder: "0s",
});
const flights = tableSource("flights", { format: "parquet", files: ["raw/*.parquet"], fields: { origin: string() } });
const congestion = directView("congestion", {
  entity: airport,
  producers: ["tower"],
  freshness: "1m",
  features: { score: float64(), reason: string() },
});
const now = streamView("airport_now", {
  entity: airport,
  from: departures,
  keys: { code: "origin" },
  windows: ["15m"],
  hop: "1m",
  freshness: "10m",
  features: { departures: count(), delay: mean("delay") },
});
const profile = batchView("airport_profile", {
  entity: airport,
  from: [flights],
  sql: "select 1",
  every: "15m",
  freshness: "30m",
  features: { flights28d: int64(), delayP90: float64() },
});
const tower = featureService("tower", [
  congestion.on({ code: "code" }),
  now.on({ code: "code" }),
  profile.on({ code: "code" }),
]);

const body = compileDefinitions([congestion, now, profile, tower]);
export const catalog: Catalog = { ...body, version: 1, fingerprint: fingerprintOf(body) };
export const entityName = "airport";
export const featureServiceName = "tower";

export interface LoadView {
  readonly name: string;
  readonly lane: Lane;
  readonly features: readonly string[];
}

export const loadViews: readonly LoadView[] = Object.values(catalog.views).map(({ name, lane, features }) => ({
  name,
  lane,
  features: features.map((feature) => feature.name),
}));
