import type { BatchView, Catalog } from "@tributary/shared/contracts/catalog";
import { asTributaryError } from "@tributary/shared/contracts/errors";
import type { BatchRunCounts } from "@tributary/shared/contracts/status";
import type { Published } from "../adapters/ledger.ts";
import { checkInterval, runKind } from "../core/interval.ts";
import { lakePaths } from "../core/lake-layout.ts";
import type { BackfillManifest } from "../core/run-manifest.ts";
import { type Compared, compareRun } from "./compare-run.ts";
import { type Computed, computeRun } from "./compute-run.ts";
import { finishStaged, manifestPath, publishAndCommit } from "./finish-staged.ts";
import { type ErasedKeys, openErasedForRun } from "./open-erased.ts";
import { clearUnnamed } from "./rewrite-file.ts";
import { type RunContext, step } from "./run-ports.ts";

export interface ViewRun {
  readonly catalog: Catalog;
  readonly view: BatchView;
  readonly intervalEndMs: number;
  readonly request: string | undefined;
}

/**
 * One run: finish what is staged → compute → compare with the published snapshot → stage → publish → confirm → commit.
 * Until it is staged a run may fail and leave nothing; from then on it is only ever finished.
 * @throws TributaryError BAD_INTERVAL, BAD_SOURCE, INVALID_DEFINITION, DELETE_GUARD, RUN_CONFLICT, FENCED and the publisher's
 */
export async function runView(context: RunContext, job: ViewRun): Promise<void> {
  const { view } = job;
  await finishStaged(context, view.name);
  checkInterval(view, job.intervalEndMs, context.now());
  const book = await context.erasures.upTo(job.intervalEndMs);
  const erased = await openErasedForRun(context.engine, book, {
    entity: view.entity,
    intervalEndMs: job.intervalEndMs,
  });
  const { run, published } = await context.ledger.begin(context.lease, {
    view: view.name,
    viewVersion: view.version,
    catalogVersion: job.catalog.version,
    intervalEndMs: job.intervalEndMs,
    instance: context.instance,
    request: job.request,
  });
  context.report({ run });
  const compared = await prepare(context, { ...job, run, published, erased });
  if (compared !== undefined) await publishAndCommit(context, compared.manifest);
}

interface BegunRun extends ViewRun {
  readonly run: number;
  readonly published: Published | undefined;
  readonly erased: ErasedKeys;
}

/** Everything before the first chunk; undefined when there is nothing to publish. */
async function prepare(context: RunContext, begun: BegunRun): Promise<Compared | undefined> {
  const doubt = { mayBeStaged: false };
  try {
    await step(context, "begun");
    const computed = await computeRun(context, begun);
    const kind = runKind(begun.published?.intervalEndMs, begun.intervalEndMs);
    if (kind === "backfill") return await keepBackfill(context, begun, computed);
    const compared = await compareRun(context, { ...begun, computed });
    if (kind === "rerun" && hasNothingToSay(compared)) return await endUnchanged(context, begun, compared.counts);
    await stage(context, begun, compared, doubt);
    return compared;
  } catch (error) {
    // A stage whose transaction was not answered may be there: then it is found and finished.
    if (!doubt.mayBeStaged) await abandon(context, begun, error);
    throw error;
  }
}

function hasNothingToSay({ manifest }: Compared): boolean {
  return manifest.delta.rows === 0 && manifest.confirm.length === 0;
}

async function stage(
  context: RunContext,
  { view, run, published }: BegunRun,
  { manifest, counts }: Compared,
  doubt: { mayBeStaged: boolean },
): Promise<void> {
  await context.lake.writeJson(`${lakePaths.snapshot(view.name, run)}/manifest.json`, manifest);
  await context.lake.writeJson(manifestPath(view.name, run), manifest);
  context.signal.throwIfAborted();
  doubt.mayBeStaged = true;
  try {
    await context.ledger.stage(context.lease, manifest, published?.run, counts);
  } catch (error) {
    const { code } = asTributaryError(error);
    doubt.mayBeStaged = code !== "RUN_CONFLICT" && code !== "FENCED";
    throw error;
  }
  context.report({ counts });
  await step(context, "staged");
}

/** B3: an interval before the published one writes the lake and publishes nothing. */
async function keepBackfill(context: RunContext, begun: BegunRun, computed: Computed): Promise<undefined> {
  const { view, run, intervalEndMs } = begun;
  const target = lakePaths.backfill(view.name, intervalEndMs);
  const staged = `${lakePaths.stage(view.name, run)}/rows.parquet`;
  const query = "SELECT * FROM _current ORDER BY _partition, _key";
  const rows = await context.engine.writeParquet(query, context.lake.absolute(staged));
  const file = await context.lake.seal(staged, rows);
  await context.lake.move(staged, `${target}/rows.parquet`);
  const manifest: BackfillManifest = {
    format: 1,
    view: view.name,
    viewVersion: view.version,
    run,
    intervalEndMs,
    rows: { ...file, path: `${target}/rows.parquet` },
  };
  await context.lake.writeJson(`${target}/manifest.json`, manifest);
  await clearUnnamed(context.lake, target, manifest.rows);
  const { rowsWithheld: withheld, rowsErased: erased } = computed;
  await end(context, begun, { ...nothing, rows, withheld, ...(erased > 0 && { erased }) });
  return undefined;
}

const nothing = { rows: 0, inserted: 0, updated: 0, deleted: 0, unchanged: 0, suppressed: 0, published: 0 };

async function endUnchanged(context: RunContext, begun: BegunRun, counts: BatchRunCounts): Promise<undefined> {
  await end(context, begun, counts);
  await context.lake.remove(lakePaths.snapshot(begun.view.name, begun.run));
  return undefined;
}

async function end(context: RunContext, { view, run }: BegunRun, counts: BatchRunCounts): Promise<void> {
  await context.ledger.finish(context.lease, run, counts);
  context.report({ counts });
  await context.lake.remove(lakePaths.stage(view.name, run));
}

/** The cause matters more than what could not be tidied after it; a later run tidies again. */
async function abandon(context: RunContext, { view, run }: BegunRun, cause: unknown): Promise<void> {
  try {
    await context.ledger.fail(run, asTributaryError(context.signal.aborted ? context.signal.reason : cause));
    await context.lake.remove(lakePaths.stage(view.name, run));
    await context.lake.remove(lakePaths.snapshot(view.name, run));
  } catch (error) {
    context.logger.warn({ view: view.name, run, error: asTributaryError(error).message }, "a failed run is not tidied");
  }
}
