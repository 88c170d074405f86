import fc from "fast-check";
import { historyArbitrary } from "./history.ts";
import { runHistory } from "./simulation.ts";

export interface MergeRuns {
  readonly seed: number;
  readonly runs: number;
  /** Of a counterexample: begins with it. */
  readonly path?: string | undefined;
  readonly done?: () => void;
}

export interface Counterexample {
  readonly seed: number;
  readonly path: string;
  readonly why: string;
  /** The shrunk history and the order of its steps. */
  readonly example: string;
}

/** So many random histories; the smallest that ends wrong, if one does. */
export async function checkMerge({ seed, runs, path, done }: MergeRuns): Promise<Counterexample | undefined> {
  const property = fc.asyncProperty(historyArbitrary, fc.scheduler(), async (history, scheduler) => {
    await runHistory(history, scheduler);
    done?.();
  });
  const found = await fc.check(property, { seed, numRuns: runs, ...(path !== undefined && { path }) });
  if (!found.failed) return undefined;
  return {
    seed,
    path: found.counterexamplePath ?? "",
    why: String(found.errorInstance ?? "interrupted"),
    example: fc.stringify(found.counterexample),
  };
}
