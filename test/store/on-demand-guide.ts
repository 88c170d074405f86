import { mean } from "@tributary/shared/definitions/aggregation";
import { entity } from "@tributary/shared/definitions/entity";
import { featureService } from "@tributary/shared/definitions/feature-service";
import { float64, int64, string, timestamp } from "@tributary/shared/definitions/feature-type";
import { onDemandFeature } from "@tributary/shared/definitions/on-demand";
import { eventSource } from "@tributary/shared/definitions/source";
import { streamView } from "@tributary/shared/definitions/view";

/** What docs/guides/compute-at-read-time.md says, word for word, on the views that it takes for granted. */
const departures = eventSource("departures", {
  fields: { origin: string(), delay: float64(), at: timestamp() },
  eventTime: "at",
  disorder: "4h",
});
const airportNow = streamView("airport_now", {
  entity: entity("airport", { key: { code: string() } }),
  from: departures,
  keys: { code: "origin" },
  windows: ["1h"],
  hop: "1m",
  freshness: "10m",
  features: { delayMean: mean("delay") },
});

export const delayRisk = onDemandFeature("delay_risk", {
  inputs: { delay: float64(), partySize: int64() },
  type: float64(),
  cel: "delay == null ? 0.0 : delay * 0.01 * double(partySize)",
});

export const gate = featureService("gate", [
  airportNow.on({ code: "origin" }),
  delayRisk.from({ delay: "delayMean_1h" }),
]);
