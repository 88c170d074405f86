import { type DurationHistogram, durationBounds } from "@tributary/shared/contracts/duration-histogram";
import type { ViewFreshness } from "@tributary/shared/contracts/freshness";

/** Every second bound: four buckets for a factor of 256 are enough to alert on, and halve what is scraped. */
const shownBounds = durationBounds.map((bound, i) => ({ bound, i })).filter(({ i }) => i % 2 === 0);

/** As Prometheus text; the labels are views and lanes of the catalog. */
export function freshnessLines(views: readonly ViewFreshness[]): readonly string[] {
  const histogram = (name: string, of: (view: ViewFreshness) => DurationHistogram): string[] => [
    `# TYPE tributary_store_${name}_milliseconds histogram`,
    ...views.flatMap((view) => histogramLines(`tributary_store_${name}_milliseconds`, labelsOf(view), of(view))),
  ];
  return [
    ...histogram("age_at_read", (view) => view.ages),
    ...histogram("publish_to_readable", (view) => view.latencies),
    ...(["met", "missed", "absent"] as const).flatMap((result) => [
      `# TYPE tributary_store_freshness_${result}_total counter`,
      ...views.map((view) => `tributary_store_freshness_${result}_total{${labelsOf(view)}} ${view[result]}`),
    ]),
    "# TYPE tributary_store_declared_freshness_milliseconds gauge",
    ...views.map((view) => `tributary_store_declared_freshness_milliseconds{${labelsOf(view)}} ${view.freshnessMs}`),
  ];
}

function labelsOf({ view, lane }: ViewFreshness): string {
  return `view="${view}",lane="${lane}"`;
}

/** Prometheus' buckets are cumulative. */
function histogramLines(name: string, labels: string, { counts, sumMs }: DurationHistogram): string[] {
  const count = counts.reduce((sum, one) => sum + one, 0);
  const upTo = (i: number) => counts.slice(0, i + 1).reduce((sum, one) => sum + one, 0);
  return [
    ...shownBounds.map(({ bound, i }) => `${name}_bucket{${labels},le="${bound}"} ${upTo(i)}`),
    `${name}_bucket{${labels},le="+Inf"} ${count}`,
    `${name}_sum{${labels}} ${sumMs}`,
    `${name}_count{${labels}} ${count}`,
  ];
}
