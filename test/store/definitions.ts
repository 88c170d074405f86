import type { Catalog } from "@tributary/shared/contracts/catalog";
import { count, mean } from "@tributary/shared/definitions/aggregation";
import { fingerprintOf } from "@tributary/shared/definitions/canonical-json";
import { compileDefinitions } from "@tributary/shared/definitions/compile";
import { entity } from "@tributary/shared/definitions/entity";
import { featureService } from "@tributary/shared/definitions/feature-service";
import { bytes, float64, int64, string, timestamp, vector } from "@tributary/shared/definitions/feature-type";
import { eventSource, tableSource } from "@tributary/shared/definitions/source";
import { batchView, directView, streamView } from "@tributary/shared/definitions/view";

const airport = entity("airport", { key: { code: string() } });
const route = entity("route", { key: { origin: string(), destination: string() } });

const departures = eventSource("departures", {
  fields: { origin: string(), delay: float64(), at: timestamp() },
  eventTime: "at",
  disorder: "4h",
});
const flights = tableSource("flights", { format: "parquet", files: ["raw/*.parquet"], fields: { origin: string() } });

export const airportNow = streamView("airport_now", {
  entity: airport,
  from: departures,
  keys: { code: "origin" },
  windows: ["15m"],
  hop: "1m",
  freshness: "10m",
  features: { departures: count(), delayMean: mean("delay") },
});
export const routeProfile = batchView("route_profile", {
  entity: route,
  from: [flights],
  sql: "select 1",
  every: "15m",
  freshness: "30m",
  ttl: "40d",
  features: { flights28d: int64(), delayP90: float64({ default: -1 }) },
});
export const congestion = directView("congestion", {
  entity: airport,
  producers: ["tower-model"],
  freshness: "1m",
  ttl: "1h",
  features: { score: float64({ min: 0, max: 1 }), reason: string(), embedding: vector(2), raw: bytes() },
});
export const boarding = featureService("boarding", [
  airportNow.on({ code: "origin" }),
  routeProfile.on({ origin: "origin", destination: "destination" }),
  congestion.pick("score", "reason").on({ code: "origin" }).prefix("origin_"),
  congestion.pick("score", "reason").on({ code: "destination" }).prefix("destination_"),
]);
export const opsDesk = directView("ops_desk", {
  entity: route,
  producers: ["ops-desk"],
  freshness: "1m",
  ttl: "1h",
  features: { delayP90: float64(), note: string() },
});
/** A batch view with a person's corrections over it. */
export const dispatch = featureService("dispatch", [
  routeProfile.overriddenBy(opsDesk).rename({ delayP90: "typicalDelay" }),
]);
/** Two direct views of one entity; one has a record of its own. */
export const page = directView("page", {
  entity: airport,
  producers: ["tower-model"],
  freshness: "1m",
  features: { words: int64() },
});
export const essay = directView("essay", {
  entity: airport,
  producers: ["tower-model"],
  freshness: "1m",
  ownRecord: true,
  features: { words: int64(), text: string() },
});
export const library = featureService("library", [essay, page.prefix("page_")]);
const layered = featureService("layered", [
  page.overriddenBy(essay).prefix("under_"),
  essay.overriddenBy(page).pick("words").prefix("over_"),
]);
export const tower = featureService("tower", [congestion.on({ code: "code" })]);

const body = compileDefinitions([airportNow, routeProfile, congestion, boarding, dispatch, tower, library, layered]);

export function catalogVersion(version: number): Catalog {
  return { ...body, version, fingerprint: fingerprintOf(body) };
}
