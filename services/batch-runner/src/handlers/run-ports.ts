import type { BatchRunCounts } from "@tributary/shared/contracts/status";
import type { Publisher } from "@tributary/shared/messaging/contract";
import type { Lease } from "@tributary/shared/runtime/lease";
import type { Logger } from "@tributary/shared/runtime/logger";
import type { Database } from "../adapters/database.ts";
import type { Lake } from "../adapters/lake-files.ts";
import type { Ledger } from "../adapters/ledger.ts";
import type { Engine } from "../core/engine.ts";
import type { ErasureLog } from "./erasure-log.ts";
import type { QueryReader } from "./land-query.ts";

/** A run's boundaries, in order: what a crash between two of them leaves behind is what the tests look at. */
export type RunStep =
  | "begun"
  | "refined"
  | "computed"
  | "compared"
  | "staged"
  | "resumed"
  | "chunk"
  | "published"
  | "confirm"
  | "confirmed"
  | "committed"
  | "cleaned"
  /** Of a purge: a file without the erased keys is written, and then stands in the manifest. */
  | "rewritten"
  | "swapped";

export interface Progress {
  readonly step: string;
  readonly done: number;
  readonly total: number;
}

/** What every run of this process shares. */
export interface RunPorts {
  readonly lake: Lake;
  readonly database: Database;
  readonly ledger: Ledger;
  readonly publisher: Publisher;
  readonly queries: QueryReader;
  readonly erasures: ErasureLog;
  readonly openEngine: () => Promise<Engine>;
  readonly now: () => number;
  readonly instance: string;
  readonly logger: Logger;
  /** Real ms that a view is held without a sign of life. */
  readonly leaseMs: number;
  /** Called at each boundary; a throw ends the run there. */
  readonly onStep?: (step: RunStep) => void | Promise<void>;
}

/** One run in hand. */
export interface RunContext extends RunPorts {
  readonly lease: Lease;
  readonly engine: Engine;
  /** Ends the run with the reason when this process stops or its lease is lost. */
  readonly signal: AbortSignal;
  readonly report: (change: {
    readonly run?: number;
    readonly counts?: BatchRunCounts;
    readonly progress?: Progress;
    /** Nothing of the view as it is defined was ever published. */
    readonly isUnpublished?: true;
  }) => void;
}

/** Marks a boundary. @throws the signal's reason */
export async function step(context: RunContext, name: RunStep): Promise<void> {
  context.signal.throwIfAborted();
  await context.onStep?.(name);
}
