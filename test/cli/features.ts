import { entity } from "@tributary/shared/definitions/entity";
import { featureService } from "@tributary/shared/definitions/feature-service";
import { float64, string, timestamp } from "@tributary/shared/definitions/feature-type";
import { eventSource } from "@tributary/shared/definitions/source";
import { directView } from "@tributary/shared/definitions/view";

const airport = entity("airport", { key: { code: string() } });

export const congestion = directView("congestion", {
  entity: airport,
  producers: ["tower-model"],
  freshness: "1m",
  features: { score: float64({ min: 0, max: 1 }), reason: string(), scoredAt: timestamp() },
});

export const departures = eventSource("departures", {
  fields: { origin: string(), delay: float64(), at: timestamp() },
  eventTime: "at",
  disorder: "4h",
});

export const boarding = featureService("boarding", [
  congestion.on({ code: "origin" }).prefix("origin_"),
  congestion.on({ code: "destination" }).prefix("destination_"),
]);
