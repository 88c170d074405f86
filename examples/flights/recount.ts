import { flightsFile, reportedAt } from "./dataset.ts";
import { type Engine, instant } from "./engine.ts";

/** What an airport's windows must hold at an instant, counted by SQL over the same Parquet: one plain query a window. */
export type Recount = ReadonlyMap<string, Readonly<Record<string, number | null>>>;

const minuteMs = 60_000;
const windows = [
  { name: "15m", ms: 15 * minuteMs },
  { name: "1h", ms: 60 * minuteMs },
  { name: "6h", ms: 360 * minuteMs },
];

/**
 * Every airport of the data set → its features at `instantMs`; null for all of them where no departure was published at all.
 * Events count when reported in (publishedFromMs, instantMs] and departed in [floor(instant − window, 1 min), instant).
 */
export async function recountWindows(engine: Engine, publishedFromMs: number, instantMs: number): Promise<Recount> {
  const features = new Map<string, Record<string, number | null>>();
  for (const window of windows) {
    for (const row of await engine.rows(windowQuery(window.ms, publishedFromMs, instantMs))) {
      const known = features.get(String(row.origin)) ?? {};
      features.set(String(row.origin), { ...known, ...windowFeatures(row, window.name) });
    }
  }
  return features;
}

function windowQuery(windowMs: number, publishedFromMs: number, instantMs: number): string {
  const startMs = Math.floor((instantMs - windowMs) / minuteMs) * minuteMs;
  return `
    with published as (
      select origin, delay, date from '${flightsFile}'
      where delay > -60 and ${reportedAt} > ${instant(publishedFromMs)} and ${reportedAt} <= ${instant(instantMs)}
    ),
    inside as (
      select origin, delay from published where date >= ${instant(startMs)} and date < ${instant(instantMs)}
    )
    select a.origin, a.origin in (select origin from published) as known, count(i.delay)::int as n, avg(i.delay) as mean,
           min(i.delay)::int as least, max(i.delay)::int as most,
           list_sort(list(i.delay) filter (i.delay is not null))[1 + floor(0.9 * (count(i.delay) - 1))::int]::int as p90
    from (select distinct origin from '${flightsFile}') a left join inside i using (origin)
    group by a.origin`;
}

function windowFeatures(row: Record<string, unknown>, window: string): Record<string, number | null> {
  const number = (value: unknown): number | null => (value === null || value === undefined ? null : Number(value));
  return {
    [`departures_${window}`]: row.known === true ? Number(row.n) : null,
    [`delayMean_${window}`]: number(row.mean),
    [`delayMin_${window}`]: number(row.least),
    [`delayMax_${window}`]: number(row.most),
    [`delayP90_${window}`]: number(row.p90),
  };
}
