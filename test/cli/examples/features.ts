import { count, mean } from "@tributary/shared/definitions/aggregation";
import { entity } from "@tributary/shared/definitions/entity";
import { featureService } from "@tributary/shared/definitions/feature-service";
import { float64, int64, string, timestamp } from "@tributary/shared/definitions/feature-type";
import { eventSource, tableSource } from "@tributary/shared/definitions/source";
import { batchView, directView, streamView } from "@tributary/shared/definitions/view";

/** The names that the help's examples use, over data that a test can land. */
export const airport = entity("airport", { key: { code: string() } });
export const route = entity("route", { key: { origin: string(), destination: string() } });

export const flights = tableSource("flights", {
  format: "csv",
  files: ["raw/flights/*.csv"],
  fields: { date: timestamp(), origin: string(), destination: string(), delay: int64() },
});

export const departures = eventSource("departures", {
  fields: { origin: string(), destination: string(), delay: float64(), at: timestamp() },
  eventTime: "at",
  disorder: "4h",
});

export const routeProfile = batchView("route_profile", {
  entity: route,
  from: [flights],
  sql: "select origin, destination, count(*) as flights28d, avg(delay) as delayMean from flights group by all",
  every: "15m",
  freshness: "3h",
  features: { flights28d: int64(), delayMean: float64() },
});

export const airportNow = streamView("airport_now", {
  entity: airport,
  from: departures,
  keys: { code: "origin" },
  windows: ["1h"],
  hop: "1m",
  freshness: "10m",
  features: { departures: count(), delayMean: mean("delay") },
});

export const congestion = directView("congestion", {
  entity: airport,
  producers: ["tower-model"],
  freshness: "30m",
  features: { score: float64({ min: 0, max: 1 }), reason: string() },
});

/** Of no view that a lane computes: an erasure leaves nothing undone. */
export const passenger = entity("passenger", { key: { id: string() } });

export const boarding = featureService("boarding", [
  airportNow.on({ code: "origin" }),
  routeProfile.pick("flights28d"),
  congestion.on({ code: "origin" }).prefix("origin_"),
  congestion.on({ code: "destination" }).prefix("destination_"),
]);
