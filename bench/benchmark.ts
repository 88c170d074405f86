import type { Result } from "./report.ts";

/** What a benchmark gets: how long to measure, and where to put what it found. */
export interface BenchContext {
  /** Repetitions of each case; undefined: the bench's own default. */
  readonly repetitions: number | undefined;
  /** Everything once and briefly: shows that it works, not how fast. */
  readonly quick: boolean;
  /** Only these cases; undefined: all. */
  readonly cases: readonly string[] | undefined;
  /** Entities stored; undefined: the bench's own default. */
  readonly entities: number | undefined;
  /** A folder for a CPU profile of the service, taken of some loads; undefined: none is taken. */
  readonly profile: string | undefined;
  readonly tell: (one: Result) => void;
  /** Progress, for people. */
  readonly note: (line: string) => void;
}

export interface BenchmarkModule {
  readonly run: (context: BenchContext) => Promise<void>;
  /** What `--cases` may name; absent: it measures everything, always. */
  readonly caseNames?: readonly string[];
}

export interface Benchmark {
  readonly name: string;
  readonly does: string;
  readonly load: () => Promise<BenchmarkModule>;
}

export const benchmarks: readonly Benchmark[] = [
  {
    name: "apply",
    does: "rows a second into the store, by lane, alone and beside reads; floor: MGET, merge, compare-and-set",
    load: () => import("./apply.ts"),
  },
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
  {
    name: "feast",
    does: "the same reads from Feast's feature server and from ours, in the same run (installs Feast: Python, PyPI)",
    load: () => import("./peers/feast/feast.ts"),
  },
  {
    name: "read",
    does: "reads a second and their latency, over NATS and HTTP, and bytes a cell; floor: MGET and decode",
    load: () => import("./read.ts"),
  },
];
