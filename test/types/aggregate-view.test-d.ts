import { aggregateView } from "@tributary/shared/definitions/aggregate-view";
import { count, mean } from "@tributary/shared/definitions/aggregation";
import { entity } from "@tributary/shared/definitions/entity";
import { featureService, type RowOfService } from "@tributary/shared/definitions/feature-service";
import { float64, string, timestamp } from "@tributary/shared/definitions/feature-type";
import { eventSource, tableSource } from "@tributary/shared/definitions/source";
import { directView } from "@tributary/shared/definitions/view";

/** Compiled, never run: a view whose lane is open is typed as a stream view, whichever lane it gets. */
const fields = { origin: string(), delay: float64(), at: timestamp() };
const airport = entity("airport", { key: { code: string() } });
const departures = eventSource("departures", { fields, eventTime: "at", disorder: "4h" });
const past = tableSource("past", { format: "json", files: ["raw/departures/*.json"], fields });
const crm = tableSource("crm", { format: "postgres", connection: "crm", query: "select 1 as delay", fields });
const common = { entity: airport, from: departures, windows: ["1h"], freshness: "6h" } as const;
const now = aggregateView("now", {
  ...common,
  history: past,
  keys: { code: "origin" },
  features: { departures: count(), delayMean: mean("delay") },
});
const score = directView("score", {
  entity: airport,
  producers: ["tower"],
  freshness: "1m",
  features: { delayMean_1h: float64() },
});
declare const row: RowOfService<typeof tower>;
const tower = featureService("tower", [now.overriddenBy(score)]);

export const windowed: number | null = row.departures_1h;
export const table: typeof past | typeof crm = crm;

// @ts-expect-error no such window
export const unknownWindow = row.departures_2h;
// @ts-expect-error the source has no such field
aggregateView("bad", { ...common, keys: { code: "nope" }, features: { n: count() } });
// @ts-expect-error a window is no duration
aggregateView("bad", { ...common, windows: ["soon"], keys: { code: "origin" }, features: { n: count() } });
// @ts-expect-error its history is a table, not the events themselves
aggregateView("bad", { ...common, history: departures, keys: { code: "origin" }, features: { n: count() } });
// @ts-expect-error only a direct view can be a layer
score.overriddenBy(now);
// @ts-expect-error files have no connection
tableSource("bad", { format: "json", connection: "crm", query: "select 1", fields });
// @ts-expect-error a query has no files
tableSource("bad", { format: "postgres", files: ["a"], fields });
// @ts-expect-error no such field to be unique by
tableSource("bad", { format: "csv", files: ["a"], fields, unique: ["nope"] });
