import { count, mean, percentile } from "@tributary/shared/definitions/aggregation";
import { entity } from "@tributary/shared/definitions/entity";
import { featureService, type KeysOfService, type RowOfService } from "@tributary/shared/definitions/feature-service";
import { float64, int64, string, timestamp } from "@tributary/shared/definitions/feature-type";
import { eventSource, tableSource } from "@tributary/shared/definitions/source";
import { batchView, directView, streamView } from "@tributary/shared/definitions/view";

/** Compiled, never run: each wrong use is marked, so that the type check fails when a mark is not needed any more. */
const airport = entity("airport", { key: { code: string() } });
const route = entity("route", { key: { origin: string(), destination: string() } });
const flights = tableSource("flights", {
  format: "parquet",
  files: ["raw/flights/*.parquet"],
  fields: { date: timestamp(), delay: int64() },
});
const departures = eventSource("departures", {
  fields: { origin: string(), delay: float64(), at: timestamp() },
  eventTime: "at",
  disorder: "4h",
});
const airportNow = streamView("airport_now", {
  entity: airport,
  from: departures,
  keys: { code: "origin" },
  windows: ["15m", "1h"],
  hop: "1m",
  freshness: "10m",
  features: { departures: count(), delayMean: mean("delay"), delayP90: percentile("delay", 0.9) },
});
const routeProfile = batchView("route_profile", {
  entity: route,
  from: [flights],
  sql: "select 1",
  every: "15m",
  freshness: "30m",
  features: { flights28d: int64({ default: 0 }), delayP90: float64() },
});
const congestion = directView("congestion", {
  entity: airport,
  producers: ["tower"],
  freshness: "1m",
  features: { score: float64(), reason: string() },
});
const boarding = featureService("boarding", [
  airportNow.on({ code: "origin" }),
  routeProfile.pick("delayP90", "flights28d"),
  congestion.on({ code: "origin" }).prefix("origin_"),
  congestion.on({ code: "destination" }).prefix("destination_"),
]);

type Row = RowOfService<typeof boarding>;
type Keys = KeysOfService<typeof boarding>;
declare const row: Row;

export const keys: Keys = { origin: "ORD", destination: "LAX" };
export const windowed: number | null = row.departures_15m;
export const withDefault: number = row.flights28d;
export const prefixed: string | null = row.destination_reason;

// @ts-expect-error a feature without a default may be null
export const notNull: number = row.delayP90;
// @ts-expect-error no such feature
export const unknownFeature = row.departures_2h;
// @ts-expect-error a key is missing
export const missingKey: Keys = { origin: "ORD" };
// @ts-expect-error a key of the wrong type
export const wrongKey: Keys = { origin: 1, destination: "LAX" };
// @ts-expect-error the view has no such feature
routeProfile.pick("nope");
streamView("bad", {
  entity: airport,
  from: departures,
  // @ts-expect-error the source has no such field
  keys: { code: "nope" },
  windows: ["15m"],
  hop: "1m",
  freshness: "1m",
  features: {},
});
// @ts-expect-error two uses have a feature of the same name
featureService("collides", [congestion.on({ code: "origin" }), congestion.on({ code: "destination" })]);
const opsDesk = directView("ops_desk", {
  entity: route,
  producers: ["ops"],
  freshness: "1m",
  features: { delayP90: float64(), flights28d: int64(), remark: string() },
});
const common = { entity: airport, producers: [], freshness: "1m" } as const;
const stranger = directView("stranger", { ...common, features: { x: int64() } });
const namesake = directView("namesake", { ...common, features: { score: string() } });
const planning = featureService("planning", [
  routeProfile.overriddenBy(opsDesk).rename({ delayP90: "typicalDelay" }).on({ origin: "from", destination: "to" }),
]);
declare const planned: RowOfService<typeof planning>;

export const renamed: number | null = planned.typicalDelay;
export const defaultOfTheLowerView: number = planned.flights28d;
export const mapped: KeysOfService<typeof planning> = { from: "ORD", to: "LAX" };
export const layeredLast = routeProfile
  .prefix("p_")
  .pick("p_delayP90")
  .rename({ p_delayP90: "d" })
  .overriddenBy(opsDesk);
export const swapped = opsDesk.rename({ delayP90: "flights28d", flights28d: "delayP90" });

// @ts-expect-error renamed away
export const oldName = planned.delayP90;
// @ts-expect-error a layer brings no feature of its own
export const upperOnly = planned.remark;
// @ts-expect-error the view has no such feature
routeProfile.rename({ nope: "x" });
// @ts-expect-error one of the names is unknown
routeProfile.rename({ delayP90: "typicalDelay", nope: "x" });
// @ts-expect-error the view has a feature of the new name
routeProfile.rename({ delayP90: "flights28d" });
// @ts-expect-error two features get one name
routeProfile.rename({ delayP90: "x", flights28d: "x" });
// @ts-expect-error picked by the name it had before
routeProfile.rename({ delayP90: "x" }).pick("delayP90");
// @ts-expect-error only a direct view can be a layer
congestion.overriddenBy(airportNow);
// @ts-expect-error of another entity
routeProfile.overriddenBy(congestion);
// @ts-expect-error no feature of the same name
congestion.overriddenBy(stranger);
// @ts-expect-error a feature of the same name is of another type
congestion.overriddenBy(namesake);
// @ts-expect-error a use is not a view
routeProfile.overriddenBy(opsDesk.pick("delayP90"));
// @ts-expect-error renamed to a name that another use has
featureService("collides_too", [congestion, airportNow.pick("departures_15m").rename({ departures_15m: "score" })]);
// @ts-expect-error the event time must be one of the fields
eventSource("bad_time", { fields: { at: timestamp() }, eventTime: "when", disorder: "1m" });
