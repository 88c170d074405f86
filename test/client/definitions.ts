import { count } from "@tributary/shared/definitions/aggregation";
import { compileDefinitions } from "@tributary/shared/definitions/compile";
import { entity } from "@tributary/shared/definitions/entity";
import { featureService } from "@tributary/shared/definitions/feature-service";
import {
  bool,
  bytes,
  date,
  float32,
  float64,
  int32,
  int64,
  json,
  list,
  map,
  string,
  timestamp,
  uuid,
  vector,
} from "@tributary/shared/definitions/feature-type";
import { onDemandFeature } from "@tributary/shared/definitions/on-demand";
import { eventSource, tableSource } from "@tributary/shared/definitions/source";
import { batchView, directView, streamView } from "@tributary/shared/definitions/view";

const airport = entity("airport", { key: { code: string() } });
const gate = entity("gate", { key: { airport: string(), number: int64(), id: uuid() } });

/** A feature of every type. */
export const allTypes = directView("all_types", {
  entity: airport,
  producers: [],
  freshness: "10m",
  ttl: "1h",
  features: {
    flag: bool(),
    small: int32(),
    whole: int64(),
    ratio32: float32(),
    ratio: float64({ min: 0, max: 1 }),
    text: string(),
    colour: string({ enum: ["red", "green"] }),
    raw: bytes(),
    at: timestamp(),
    day: date(),
    extra: json(),
    embedding: vector(3),
    tags: list(string()),
    times: list(timestamp()),
    counts: map(int64()),
    level: int64({ default: 7 }),
    wide: int64({ as: "bigint" }),
    wides: map(int64({ as: "bigint" })),
    name: string({ nullable: false, minLength: 2 }),
  },
});
export const everything = featureService("everything", [allTypes]);

/** Of the congestion's ratio, a stored default, and what the request knows. */
export const wait = onDemandFeature("wait", {
  inputs: { ratio: float64(), level: int64(), bags: int64(), since: timestamp({ nullable: true }) },
  type: float64(),
  cel: "ratio == null ? -1.0 : ratio * double(level) + double(bags) + (since == null ? 0.0 : 100.0)",
});
export const queue = featureService("queue", [
  allTypes.pick("ratio", "level"),
  wait.from({ ratio: "ratio", level: "level" }),
  wait.as("wait_again").from({ ratio: "wait", level: "level" }),
]);

export const gates = directView("gates", {
  entity: gate,
  producers: [],
  freshness: "10m",
  features: { isOpen: bool() },
});
export const boards = featureService("boards", [gates.on({ airport: "at", number: "number", id: "id" })]);

const flights = tableSource("flights", { format: "parquet", files: ["raw/*.parquet"], fields: { code: string() } });
export const profile = batchView("profile", {
  entity: airport,
  from: [flights],
  sql: "select code, 1.0 as delay, 1 as flights from flights",
  every: "1h",
  freshness: "2h",
  ttl: "1d",
  features: { delay: float64({ default: -1 }), flights: int64() },
});
export const desk = directView("desk", {
  entity: airport,
  producers: [],
  freshness: "1h",
  ttl: "2h",
  features: { delay: float64(), note: string() },
});
export const planning = featureService("planning", [profile.overriddenBy(desk).prefix("p_")]);

export const departures = eventSource("departures", {
  fields: { origin: string(), delay: float64(), at: timestamp() },
  eventTime: "at",
  disorder: "4h",
});
export const arrivals = eventSource("arrivals", {
  fields: { destination: string(), at: timestamp() },
  eventTime: "at",
  disorder: "4h",
});
export const airportNow = streamView("airport_now", {
  entity: airport,
  from: departures,
  keys: { code: "origin" },
  windows: ["15m"],
  hop: "1m",
  freshness: "10m",
  features: { departures: count() },
});
export const tower = featureService("tower", [airportNow, profile.pick("flights"), allTypes.pick("ratio")]);

export const body = compileDefinitions([everything, queue, boards, planning, tower, arrivals]);
