import { aggregateView } from "@tributary/shared/definitions/aggregate-view";
import { count, mean, percentile } from "@tributary/shared/definitions/aggregation";
import { entity } from "@tributary/shared/definitions/entity";
import { float64, string, timestamp } from "@tributary/shared/definitions/feature-type";
import { eventSource, tableSource } from "@tributary/shared/definitions/source";

const fields = { origin: string(), delay: float64(), at: timestamp() };

export const departures = eventSource("departures", { fields, eventTime: "at", disorder: "4h" });

/** The same events, as they are kept. */
export const pastDepartures = tableSource("past_departures", {
  format: "json",
  files: ["raw/departures/*.json"],
  fields,
});

export const airportDelays = aggregateView("airport_delays", {
  entity: entity("airport", { key: { code: string() } }),
  from: departures,
  history: pastDepartures,
  keys: { code: "origin" },
  where: "delay > -60",
  windows: ["1h", "1d"],
  freshness: "3h",
  features: { departures: count(), delayMean: mean("delay"), delayP90: percentile("delay", 0.9) },
});
