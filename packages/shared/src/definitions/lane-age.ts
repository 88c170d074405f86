import { durationText } from "./duration-text.ts";

/**
 * The greatest age that a lane's values reach while everything works: just before the next confirmation is there. Disorder
 * does not delay windows: they slide with the clock, and a late event corrects them.
 */

/** What a batch run is taken to need, from the interval's end to the last value in the store, ms. */
export const assumedRunMs = 60_000;
/** The defaults of the stream-processor's COALESCE_MS and MARK_MS and of the online-store's PROGRESS_MS, ms. */
export const assumedCoalesceMs = 200;
export const assumedMarkMs = 1_000;
export const assumedProgressMs = 200;

export type AgeTerms = readonly (readonly [what: string, ms: number])[];

export const streamAgeTerms: AgeTerms = [
  ["coalescing", assumedCoalesceMs],
  ["mark", assumedMarkMs],
  ["confirmation seen", assumedProgressMs],
];

export function batchAgeTerms(everyMs: number): AgeTerms {
  return [
    ["interval", everyMs],
    ["assumed run", assumedRunMs],
  ];
}

export function ageOf(terms: AgeTerms): number {
  return terms.reduce((total, [, ms]) => total + ms, 0);
}

/** `interval 15m + assumed run 1m = 16m`. */
export function ageText(terms: AgeTerms): string {
  return `${terms.map(([what, ms]) => `${what} ${durationText(ms)}`).join(" + ")} = ${durationText(ageOf(terms))}`;
}

export const streamAgeMs = ageOf(streamAgeTerms);
export const streamAgeText = ageText(streamAgeTerms);
