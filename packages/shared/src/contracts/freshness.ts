import { z } from "zod";
import { lanes } from "./catalog.ts";
import { mergeDurations } from "./duration-histogram.ts";

const histogramSchema = z.object({ counts: z.array(z.number()).readonly(), sumMs: z.number() });

/**
 * How fresh one view was when it was read, and how long its rows took to be readable: of one store instance since its start, or
 * of several merged. Ages are a sample (see the store's `sample-freshness.ts`), latencies are not.
 */
export const viewFreshnessSchema = z.object({
  view: z.string(),
  lane: z.enum(lanes),
  /** Declared, ms. */
  freshnessMs: z.number(),
  /** Sampled cells whose age was within it, or not; and rows of which nothing was stored, which are neither. */
  met: z.number(),
  missed: z.number(),
  absent: z.number(),
  /** Age at read, in the time of the clock. */
  ages: histogramSchema,
  /** From the broker's taking a chunk until a read finds its rows, real time; one value a chunk. */
  latencies: histogramSchema,
});

export type ViewFreshness = z.infer<typeof viewFreshnessSchema>;

/** One entry a view and lane, sorted by view. */
export function mergeFreshness(all: readonly ViewFreshness[]): readonly ViewFreshness[] {
  const merged = new Map<string, ViewFreshness>();
  for (const one of all) {
    const id = `${one.view} ${one.lane}`;
    const known = merged.get(id);
    merged.set(id, known === undefined ? one : sumOf(known, one));
  }
  return [...merged.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
}

/** The declared freshness of the latter: instances go by different catalogs for a moment only. */
function sumOf(a: ViewFreshness, b: ViewFreshness): ViewFreshness {
  return {
    ...b,
    met: a.met + b.met,
    missed: a.missed + b.missed,
    absent: a.absent + b.absent,
    ages: mergeDurations(a.ages, b.ages),
    latencies: mergeDurations(a.latencies, b.latencies),
  };
}
