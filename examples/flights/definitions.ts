import { count, max, mean, min, percentile } from "@tributary/shared/definitions/aggregation";
import { entity } from "@tributary/shared/definitions/entity";
import { featureService } from "@tributary/shared/definitions/feature-service";
import { float64, int64, string, timestamp } from "@tributary/shared/definitions/feature-type";
import { onDemandFeature } from "@tributary/shared/definitions/on-demand";
import { eventSource, tableSource } from "@tributary/shared/definitions/source";
import { sqlFile } from "@tributary/shared/definitions/sql-file";
import { batchView, directView, streamView } from "@tributary/shared/definitions/view";

export const airport = entity("airport", { key: { code: string() } });
export const route = entity("route", { key: { origin: string(), destination: string() } });

export const flights = tableSource("flights", {
  format: "parquet",
  files: ["raw/flights/*.parquet"],
  fields: {
    date: timestamp(),
    reported_at: timestamp(),
    origin: string(),
    destination: string(),
    delay: int64(),
    distance: int64(),
  },
});

export const airports = tableSource("airports", {
  format: "csv",
  files: ["raw/airports/*.csv"],
  fields: {
    iata: string(),
    name: string({ nullable: true }),
    state: string({ nullable: true }),
    latitude: float64({ nullable: true }),
    longitude: float64({ nullable: true }),
  },
  unique: ["iata"],
});

export const departures = eventSource("departures", {
  fields: { origin: string(), destination: string(), delay: float64(), at: timestamp() },
  eventTime: "at",
  disorder: "4h",
});

/** Batch: what a month of history says of a route. */
export const routeProfile = batchView("route_profile", {
  entity: route,
  from: [flights, airports],
  sql: sqlFile(new URL("./route_profile.sql", import.meta.url)),
  every: "15m",
  freshness: "3h",
  ttl: "40d",
  features: {
    flights28d: int64(),
    delayMean28d: float64({ tolerance: 0.05, description: "minutes" }),
    delayP90: float64({ tolerance: 0.05, description: "minutes" }),
    distance: int64({ description: "miles" }),
    originState: string(),
    destinationState: string(),
  },
});

/** Batch: what a month of history says of an airport. */
export const airportProfile = batchView("airport_profile", {
  entity: airport,
  from: [flights, airports],
  sql: sqlFile(new URL("./airport_profile.sql", import.meta.url)),
  every: "15m",
  freshness: "3h",
  ttl: "40d",
  features: {
    name: string(),
    state: string(),
    latitude: float64(),
    longitude: float64(),
    departures28d: int64(),
    delayMean28d: float64({ tolerance: 0.05, description: "minutes" }),
  },
});

/** Stream: what leaves an airport right now. */
export const airportNow = streamView("airport_now", {
  entity: airport,
  from: departures,
  keys: { code: "origin" },
  where: "delay > -60",
  windows: ["15m", "1h", "6h"],
  hop: "1m",
  freshness: "10m",
  features: {
    departures: count(),
    delayMean: mean("delay"),
    delayMin: min("delay"),
    delayMax: max("delay"),
    delayP90: percentile("delay", 0.9),
  },
});

/** Direct: what a separate model scored a moment ago. */
export const congestion = directView("congestion", {
  entity: airport,
  producers: ["tower-model"],
  freshness: "30m",
  ttl: "6h",
  features: { score: float64({ min: 0, max: 1 }), reason: string() },
});

/** On demand: how much later than usual this airport runs right now; computed when it is read, of a stream and a batch feature. */
export const unusualDelay = onDemandFeature("unusual_delay", {
  inputs: { now: float64(), usual: float64() },
  type: float64(),
  cel: "now - usual",
  description: "minutes",
});

/** Everything a ranker wants to know at the gate, in one read. */
export const boarding = featureService("boarding", [
  airportNow.on({ code: "origin" }),
  routeProfile.pick("flights28d", "delayP90", "distance"),
  airportProfile.on({ code: "origin" }).pick("departures28d", "state", "delayMean28d").prefix("origin_"),
  airportProfile.on({ code: "destination" }).pick("departures28d", "state").prefix("destination_"),
  congestion.on({ code: "origin" }).prefix("origin_"),
  congestion.on({ code: "destination" }).prefix("destination_"),
  unusualDelay.from({ now: "delayMean_1h", usual: "origin_delayMean28d" }),
]);

/** What the tower's model looks at before it scores an airport. */
export const tower = featureService("tower", [
  airportNow.pick("departures_1h", "delayMean_1h"),
  congestion.pick("score"),
]);

/** Every window of an airport: what the check recounts. */
export const windows = featureService("windows", [airportNow]);
