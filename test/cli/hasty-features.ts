import { count } from "@tributary/shared/definitions/aggregation";
import { entity } from "@tributary/shared/definitions/entity";
import { string } from "@tributary/shared/definitions/feature-type";
import { streamView } from "@tributary/shared/definitions/view";
import { departures } from "./features.ts";

/** Fresher than its lane can be. */
export const hasty = streamView("hasty", {
  entity: entity("gate", { key: { code: string() } }),
  from: departures,
  keys: { code: "origin" },
  windows: ["15m"],
  hop: "1m",
  freshness: "1s",
  features: { n: count() },
});
