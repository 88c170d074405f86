import type { CatalogBody, StreamView } from "@tributary/shared/contracts/catalog";
import { count, max, mean, min, percentile, sum } from "@tributary/shared/definitions/aggregation";
import { compileDefinitions } from "@tributary/shared/definitions/compile";
import { derived } from "@tributary/shared/definitions/derived-column";
import { entity } from "@tributary/shared/definitions/entity";
import { float64, int64, string, timestamp } from "@tributary/shared/definitions/feature-type";
import { eventSource } from "@tributary/shared/definitions/source";
import { streamView } from "@tributary/shared/definitions/view";

const airport = entity("airport", { key: { code: string() } });

export interface CatalogOptions {
  readonly shards?: number;
  readonly partitions?: number;
  readonly where?: string;
  /** Events have a number by which they are known. */
  readonly isNumbered?: boolean;
}

/** Two views of one entity on one source, by origin and by destination (O3). */
export function airports({ shards = 1, partitions = 4, where, isNumbered }: CatalogOptions = {}): CatalogBody {
  const fields = { origin: string(), destination: string(), delay: float64(), at: timestamp() };
  const order = { eventTime: "at", disorder: "4h", shards } as const;
  const flights = isNumbered
    ? eventSource("flights", { ...order, fields: { ...fields, number: int64({ nullable: true }) }, id: "number" })
    : eventSource("flights", { ...order, fields });
  const common = {
    entity: airport,
    from: flights,
    windows: ["15m", "1h"] as const,
    hop: "1m" as const,
    freshness: "10m" as const,
    ...(where !== undefined && { where }),
  };
  const departures = streamView("departures", {
    ...common,
    keys: { code: "origin" },
    features: {
      n: count(),
      delaySum: sum("delay"),
      delayMean: mean("delay"),
      delayMin: min("delay"),
      delayMax: max("delay"),
      delayP90: percentile("delay", 0.9),
    },
  });
  const arrivals = streamView("arrivals", {
    ...common,
    keys: { code: "destination" },
    features: { n: count(), delayMax: max("delay") },
  });
  return compileDefinitions([airport, flights, departures, arrivals], { partitions });
}

/** By the first letter of the airport, of the flights late by a quarter of an hour or more. */
export function lateFlights(): CatalogBody {
  const letter = entity("letter", { key: { letter: string() } });
  const flights = eventSource("flights", {
    fields: { origin: string(), delay: float64({ nullable: true }), at: timestamp() },
    eventTime: "at",
    disorder: "4h",
  });
  const late = streamView("late", {
    entity: letter,
    from: flights,
    derive: { hours: derived(float64(), "delay / 60.0"), first: derived(string(), "origin.substring(0, 1)") },
    keys: { letter: "first" },
    where: "hours >= 0.25",
    windows: ["15m"],
    hop: "1m",
    freshness: "10m",
    features: { n: count(), hoursSum: sum("hours") },
  });
  return compileDefinitions([letter, flights, late], { partitions: 2 });
}

export function viewOf(body: CatalogBody, name: string): StreamView {
  const view = body.views[name];
  if (view?.lane !== "stream") throw new Error(`${name} is no stream view`);
  return view;
}
