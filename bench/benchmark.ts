import type { Case } from "./report.ts";

/** What a benchmark gets: how long to measure, and where to put what it found. */
export interface BenchContext {
  /** Repetitions of each case; undefined: the bench's own default. */
  readonly repetitions: number | undefined;
  readonly tell: (one: Case) => void;
  /** Progress, for people. */
  readonly note: (line: string) => void;
}

export interface Benchmark {
  readonly name: string;
  readonly does: string;
  readonly load: () => Promise<{ run: (context: BenchContext) => Promise<void> }>;
}

export const benchmarks: readonly Benchmark[] = [
  {
    name: "catalog",
    does: "from an apply to every process going by it; floor: one KV write seen by a watcher",
    load: () => import("./catalog.ts"),
  },
  {
    name: "cli-start",
    does: "starts of the compiled command; floor: node that does nothing, node with the argument parser",
    load: () => import("./cli-start.ts"),
  },
];
