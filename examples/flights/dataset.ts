import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/**
 * Three million US departures, January to June 2001, from npm `vega-datasets` 3.2.1 (package BSD-3-Clause; the flights are
 * public data of the US Department of Transportation, Bureau of Transportation Statistics).
 *
 * In that file `date` is the actual departure and `delay` the arrival delay in minutes. Our stated model of reporting lag:
 * a flight is reported at `date + max(delay, 0)` minutes. So none is from the future and about 43 % come out of order.
 */
// The package exports only its build folder; the data stands beside it.
const data = join(dirname(createRequire(import.meta.url).resolve("vega-datasets")), "../data");

export const flightsFile = join(data, "flights-3m.parquet");
export const airportsFile = join(data, "airports.csv");

/** SQL: the instant at which a flight is reported. */
export const reportedAt = "date + to_minutes(greatest(delay, 0))";

const minute = 60_000;
const hour = 60 * minute;

/** Where the simulated clock begins, epoch ms. */
export const startMs = Date.parse("2001-06-14T09:00:00Z");
/** Events reported this long before the start are published before the clock moves. */
export const warmUpMs = 24 * hour;
/** Paused instants at which every window is recounted; they fall on no hop. */
export const checkInstantsMs = ["2001-06-14T12:07:23.400Z", "2001-06-14T14:33:51.700Z", "2001-06-14T16:41:09.200Z"].map(
  (instant) => Date.parse(instant),
);
/** The last flight of the file is reported about here. */
export const endMs = Date.parse("2001-07-01T00:00:00Z");
