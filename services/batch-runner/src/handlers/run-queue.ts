import { randomUUID } from "node:crypto";
import type { Erasure } from "@tributary/shared/contracts/erasure";
import { asTributaryError, TributaryError } from "@tributary/shared/contracts/errors";
import type { BatchPhase, BatchRunCounts, BatchRunStatus } from "@tributary/shared/contracts/status";
import type { ViewRepublish } from "./republish-view.ts";
import type { Progress, RunPorts } from "./run-ports.ts";
import type { ViewRun } from "./run-view.ts";
import { type ViewWork, viewOf, workOnView } from "./work-on-view.ts";

/** One run at a time in this process, the others wait in a bounded queue; a view waits or runs at most once. */
export interface RunQueue {
  /** Accepts a run; its request id. @throws TributaryError RUN_CONFLICT when the view waits or runs here, OVERLOADED */
  add(run: Omit<ViewRun, "request">): string;
  /** Accepts to send all that a view has published; its request id. @throws TributaryError as `add` */
  republish(job: Omit<ViewRepublish, "request">): string;
  /** Finishes what a view has staged; nothing when it waits or runs already, or the queue is full. */
  resume(view: string): void;
  /** Takes erased keys out of a view's files; resolves when it is done. @throws TributaryError OVERLOADED and those of `purgeView` */
  purge(view: string, erasures: readonly Erasure[]): Promise<void>;
  has(view: string): boolean;
  /** Runs that wait or run, and those that failed before they had a ledger row. */
  statuses(): readonly BatchRunStatus[];
  readonly isIdle: boolean;
  /** Ends the run in hand and forgets those that wait. */
  stop(): Promise<void>;
}

export type OnRunEnd = (view: string, error: TributaryError | undefined) => void;

export interface QueueOptions {
  readonly queueMax: number;
  readonly onEnd: OnRunEnd;
}

interface Entry {
  readonly work: ViewWork;
  readonly request: string;
  readonly startedAtMs: number;
  run: number;
  counts: BatchRunCounts;
  progress: Progress;
  isUnpublished?: true;
  error?: TributaryError;
  finishedAtMs?: number;
  /** Who waits for it, if anybody. */
  readonly settle?: (error: TributaryError | undefined) => void;
}

const noCounts = { rows: 0, inserted: 0, updated: 0, deleted: 0, unchanged: 0, suppressed: 0, published: 0 };
const endedMax = 50;

export function createRunQueue(ports: RunPorts, { queueMax, onEnd }: QueueOptions): RunQueue {
  const stopping = new AbortController();
  const waiting: Entry[] = [];
  const ended: Entry[] = [];
  let active: Entry | undefined;
  let working = Promise.resolve();

  const has = (view: string) => [active, ...waiting].some((entry) => entry !== undefined && isRunOf(entry, view));
  const push = (work: ViewWork, request: string, settle?: Entry["settle"]): void => {
    const entry = { work, request, startedAtMs: Date.now(), run: 0, counts: noCounts, progress: atStart };
    waiting.push({ ...entry, ...(settle && { settle }) });
    working = working.then(next);
  };
  const next = async (): Promise<void> => {
    const entry = waiting.shift();
    if (entry === undefined) return;
    if (stopping.signal.aborted) return entry.settle?.(asTributaryError(stopping.signal.reason));
    active = entry;
    await work(ports, entry, stopping.signal);
    active = undefined;
    entry.finishedAtMs = Date.now();
    entry.settle?.(entry.error);
    if (entry.work.kind === "purge") return;
    ended.push(entry);
    if (ended.length > endedMax) ended.shift();
    if (entry.work.kind !== "republish") onEnd(viewOf(entry.work), entry.error);
  };
  const accept = (view: string, workOf: (request: string) => ViewWork): string => {
    if (has(view)) throw new TributaryError("RUN_CONFLICT", `view "${view}" is already waiting or running`);
    if (waiting.length >= queueMax) throw overloaded(waiting.length);
    const request = randomUUID();
    push(workOf(request), request);
    return request;
  };

  return {
    add: (run) => accept(run.view.name, (request) => ({ kind: "run", run: { ...run, request } })),
    republish: (job) => accept(job.view.name, (request) => ({ kind: "republish", republish: { ...job, request } })),
    resume: (view) => {
      if (!has(view) && waiting.length < queueMax) push({ kind: "resume", view }, "");
    },
    purge: (view, erasures) =>
      new Promise((resolve, reject) => {
        if (stopping.signal.aborted) return reject(stopping.signal.reason);
        if (waiting.length >= queueMax) return reject(overloaded(waiting.length));
        push({ kind: "purge", view, erasures }, "", (error) => (error === undefined ? resolve() : reject(error)));
      }),
    has,
    statuses: () =>
      [...waiting, ...(active === undefined ? [] : [active]), ...ended]
        .filter(({ work }) => work.kind !== "purge")
        .map(statusOf),
    get isIdle() {
      return active === undefined && waiting.length === 0;
    },
    stop: async () => {
      stopping.abort(new TributaryError("UNAVAILABLE", "the runner is stopping; a staged run is finished later"));
      await working;
    },
  };
}

/** A purge stands in nobody's way: what is asked for meanwhile comes behind it. */
function isRunOf({ work }: Entry, view: string): boolean {
  return work.kind !== "purge" && viewOf(work) === view;
}

function overloaded(waiting: number): TributaryError {
  return new TributaryError("OVERLOADED", `${waiting} runs are waiting, which is the limit`);
}

const atStart: Progress = { step: "waiting", done: 0, total: 0 };

async function work(ports: RunPorts, entry: Entry, signal: AbortSignal): Promise<void> {
  const view = viewOf(entry.work);
  try {
    await workOnView(ports, entry.work, { signal, report: (change) => void Object.assign(entry, change) });
    const ms = Date.now() - entry.startedAtMs;
    if (entry.work.kind === "purge") ports.logger.info({ view, ms }, "erased keys are taken out");
    else ports.logger.info({ view, run: entry.run, ...entry.counts, ms }, `${entry.work.kind} done`);
  } catch (error) {
    entry.error = asTributaryError(error);
    const { code, message, stack } = entry.error;
    const known = code === "RUN_CONFLICT" || signal.aborted;
    const isPurge = entry.work.kind === "purge";
    // A purge is tried again and again until it has its turn.
    ports.logger[known ? (isPurge ? "debug" : "info") : "error"](
      { view, run: entry.run, code, ...(code === "INTERNAL" && { stack }) },
      `${isPurge ? "erased keys could not be taken out" : `${entry.work.kind} failed`}: ${message}`,
    );
  }
}

function statusOf(entry: Entry): BatchRunStatus {
  const { work, request, run, counts, progress, isUnpublished, error, startedAtMs, finishedAtMs } = entry;
  return {
    view: viewOf(work),
    ...(work.kind === "republish" && { kind: work.kind }),
    ...(isUnpublished && { isUnpublished }),
    ...(request !== "" && { request }),
    run,
    phase: phaseOf(entry),
    intervalEndMs: work.kind === "run" ? work.run.intervalEndMs : 0,
    counts,
    progress,
    ...(error && { error: { code: error.code, message: error.message } }),
    startedAtMs,
    ...(finishedAtMs !== undefined && { finishedAtMs }),
  };
}

function phaseOf({ work, error, finishedAtMs }: Entry): BatchPhase {
  if (error !== undefined) return "failed";
  if (finishedAtMs !== undefined) return "published";
  return work.kind === "republish" ? "publishing" : "computing";
}
