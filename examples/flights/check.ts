import type { Recount } from "./recount.ts";

/** Served values against a recount: how many were compared, and which differ. */
export interface CheckResult {
  readonly checked: number;
  readonly mismatches: readonly Mismatch[];
}

export interface Mismatch {
  readonly airport: string;
  readonly feature: string;
  readonly served: unknown;
  readonly expected: number | null;
}

/** Relative error that the percentile sketch declares. */
export const percentileError = 0.01;
const meanError = 1e-9;

/** Counts, minima and maxima must be equal, means to 1e-9, percentiles within the sketch's declared error. */
export function compareWindows(
  served: ReadonlyMap<string, Readonly<Record<string, unknown>>>,
  recount: Recount,
): CheckResult {
  const mismatches: Mismatch[] = [];
  let checked = 0;
  for (const [airport, features] of recount) {
    for (const [feature, expected] of Object.entries(features)) {
      const value = served.get(airport)?.[feature];
      checked += 1;
      if (!agrees(feature, value, expected)) mismatches.push({ airport, feature, served: value, expected });
    }
  }
  return { checked, mismatches };
}

function agrees(feature: string, value: unknown, expected: number | null): boolean {
  if (expected === null || typeof value !== "number") return value === expected;
  return Math.abs(value - expected) <= allowedError(feature, expected);
}

function allowedError(feature: string, expected: number): number {
  if (feature.startsWith("delayP90")) return percentileError * Math.abs(expected) + meanError;
  if (feature.startsWith("delayMean")) return meanError * Math.max(1, Math.abs(expected));
  return 0;
}
