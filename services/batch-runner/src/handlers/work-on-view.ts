import { asTributaryError, TributaryError } from "@tributary/shared/contracts/errors";
import { EngineError } from "../core/engine.ts";
import { finishStaged } from "./finish-staged.ts";
import { holdView } from "./hold-view.ts";
import type { RunContext, RunPorts } from "./run-ports.ts";
import { runView, type ViewRun } from "./run-view.ts";

/** What to do for a view: a run, or only to finish what is staged. */
export type ViewWork =
  | { readonly kind: "run"; readonly run: ViewRun }
  | { readonly kind: "resume"; readonly view: string };

export function viewOf(work: ViewWork): string {
  return work.kind === "run" ? work.run.view.name : work.view;
}

/** Holds the view, opens an engine of its own, does the work and gives both back. @throws TributaryError */
export async function workOnView(
  ports: RunPorts,
  work: ViewWork,
  options: { readonly signal: AbortSignal; readonly report: RunContext["report"] },
): Promise<void> {
  const lost = new AbortController();
  const signal = AbortSignal.any([options.signal, lost.signal]);
  signal.throwIfAborted();
  const held = await holdView(ports, viewOf(work), (error) => lost.abort(error));
  try {
    await withEngine({ ...ports, lease: held.lease, signal, report: options.report }, work);
  } catch (error) {
    throw signal.aborted ? signal.reason : runError(error);
  } finally {
    await held.release();
  }
}

async function withEngine(context: Omit<RunContext, "engine">, work: ViewWork): Promise<void> {
  const engine = await context.openEngine();
  const interrupt = () => engine.interrupt();
  context.signal.addEventListener("abort", interrupt);
  try {
    if (work.kind === "run") await runView({ ...context, engine }, work.run);
    else await finishStaged({ ...context, engine }, work.view);
  } finally {
    context.signal.removeEventListener("abort", interrupt);
    engine.close();
  }
}

function runError(error: unknown): TributaryError {
  if (!(error instanceof EngineError)) return asTributaryError(error);
  if (error.kind === "memory") return new TributaryError("LIMIT_EXCEEDED", error.message, { cause: error });
  if (error.kind === "file") return new TributaryError("UNAVAILABLE", `the lake: ${error.message}`, { cause: error });
  return asTributaryError(error);
}
