import type { Erasure } from "@tributary/shared/contracts/erasure";
import { asTributaryError, TributaryError } from "@tributary/shared/contracts/errors";
import { EngineError } from "../core/engine.ts";
import { finishStaged } from "./finish-staged.ts";
import { holdView } from "./hold-view.ts";
import { purgeView } from "./purge-view.ts";
import { republishView, type ViewRepublish } from "./republish-view.ts";
import type { RunContext, RunPorts } from "./run-ports.ts";
import { runView, type ViewRun } from "./run-view.ts";

/** What to do for a view: a run, only to finish what is staged, to send all again, or to take erased keys out of its files. */
export type ViewWork =
  | { readonly kind: "run"; readonly run: ViewRun }
  | { readonly kind: "resume"; readonly view: string }
  | { readonly kind: "republish"; readonly republish: ViewRepublish }
  | { readonly kind: "purge"; readonly view: string; readonly erasures: readonly Erasure[] };

export function viewOf(work: ViewWork): string {
  if (work.kind === "run") return work.run.view.name;
  return work.kind === "republish" ? work.republish.view.name : work.view;
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
    await act({ ...context, engine }, work);
  } finally {
    context.signal.removeEventListener("abort", interrupt);
    engine.close();
  }
}

async function act(context: RunContext, work: ViewWork): Promise<void> {
  switch (work.kind) {
    case "run":
      return runView(context, work.run);
    case "resume":
      return void (await finishStaged(context, work.view));
    case "republish":
      return republishView(context, work.republish);
    case "purge":
      return purgeView(context, work.view, work.erasures);
    default:
      return work satisfies never;
  }
}

function runError(error: unknown): TributaryError {
  if (!(error instanceof EngineError)) return asTributaryError(error);
  if (error.kind === "memory") return new TributaryError("LIMIT_EXCEEDED", error.message, { cause: error });
  if (error.kind === "file") return new TributaryError("UNAVAILABLE", `the lake: ${error.message}`, { cause: error });
  return asTributaryError(error);
}
