import { TributaryError } from "@tributary/shared/contracts/errors";
import { lakePaths } from "../core/lake-layout.ts";
import { type RunManifest, runManifestSchema } from "../core/run-manifest.ts";
import { publishRun } from "./publish-run.ts";
import { type RunContext, step } from "./run-ports.ts";

/**
 * A staged run is finished from its stage before its view is computed again; never recomputed, never dropped (B1).
 * @throws TributaryError CORRUPT when the stage is not the one that was recorded; it stays as it is
 */
export async function finishStaged(context: RunContext, view: string): Promise<boolean> {
  const staged = await context.ledger.staged(view);
  if (staged === undefined) return false;
  const path = manifestPath(view, staged.run);
  const manifest = await context.lake.readJson(path, runManifestSchema);
  if (manifest === undefined) {
    const why = `run ${staged.run} of view "${view}" is staged, but the lake has no ${path}`;
    throw new TributaryError("CORRUPT", `${why}; is TRIBUTARY_LAKE the lake it was staged in?`);
  }
  await context.lake.verify(manifest.delta);
  await context.lake.verify(manifest.snapshot);
  context.logger.info({ view, run: staged.run, rows: manifest.delta.rows }, "finishing a staged run");
  await step(context, "resumed");
  await publishAndCommit(context, manifest);
  return true;
}

export function manifestPath(view: string, run: number): string {
  return `${lakePaths.stage(view, run)}/manifest.json`;
}

/** Publish → acks → confirm → acks → commit (B2), then clears what no run needs any more. */
export async function publishAndCommit(context: RunContext, manifest: RunManifest): Promise<void> {
  await publishRun(context, manifest);
  await context.ledger.commit(context.lease, manifest);
  await step(context, "committed");
  await clearBefore(context, manifest);
  await step(context, "cleaned");
}

/**
 * Runs with a lower number can never be published any more: their lease is older than ours. The last snapshot before this
 * one stays, for a reader that has it open.
 */
async function clearBefore({ lake }: RunContext, { view, run }: RunManifest): Promise<void> {
  await lake.remove(lakePaths.stage(view, run));
  const numbers = async (path: string) => (await lake.list(path)).filter((name) => /^\d+$/.test(name)).map(Number);
  for (const stage of await numbers(lakePaths.stages(view))) {
    if (stage < run) await lake.remove(lakePaths.stage(view, stage));
  }
  const older = (await numbers(lakePaths.snapshots(view))).filter((number) => number < run).sort((a, b) => b - a);
  for (const snapshot of older.slice(1)) await lake.remove(lakePaths.snapshot(view, snapshot));
}
