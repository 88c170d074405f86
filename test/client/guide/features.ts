import { count } from "@tributary/shared/definitions/aggregation";
import { entity } from "@tributary/shared/definitions/entity";
import { featureService } from "@tributary/shared/definitions/feature-service";
import { float64, string, timestamp } from "@tributary/shared/definitions/feature-type";
import { eventSource } from "@tributary/shared/definitions/source";
import { directView, streamView } from "@tributary/shared/definitions/view";

const airport = entity("airport", { key: { code: string() } });

export const departures = eventSource("departures", {
  fields: { origin: string(), at: timestamp() },
  eventTime: "at",
  disorder: "1h",
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

export const congestion = directView("congestion", {
  entity: airport,
  producers: ["tower-model"],
  freshness: "30m",
  features: { score: float64({ min: 0, max: 1 }) },
});

export const security = featureService("security", [airportNow, congestion]);
