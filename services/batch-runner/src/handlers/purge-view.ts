import type { Erasure } from "@tributary/shared/contracts/erasure";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { survivingIntervalQuery, survivingRowsQuery } from "../core/erasure-sql.ts";
import { lakePaths } from "../core/lake-layout.ts";
import { backfillManifestSchema, runManifestSchema } from "../core/run-manifest.ts";
import { literal } from "../core/sql-text.ts";
import { countRows } from "./count-rows.ts";
import { finishStaged } from "./finish-staged.ts";
import { openErased } from "./open-erased.ts";
import { clearUnnamed, rewriteFile, whileHeld } from "./rewrite-file.ts";
import type { RunContext } from "./run-ports.ts";

/**
 * Takes erased keys out of all that the lake keeps of a view: what is staged is finished first, as always; then the published
 * snapshot and every backfill are written anew without them, and what no run needs goes as a whole. Nothing is published: in the
 * store the erasure has beaten these rows already. Interrupted anywhere it is done again from the start.
 * @throws TributaryError CORRUPT, FENCED, UNAVAILABLE and those of a run that is finished
 */
export async function purgeView(context: RunContext, view: string, erasures: readonly Erasure[]): Promise<void> {
  await finishStaged(context, view);
  await openErased(context.engine, erasures);
  const published = await context.ledger.published(view);
  if (published !== undefined) await purgeSnapshot(context, lakePaths.snapshot(view, published.run));
  await clearOthers(context, view, published?.run);
  for (const interval of await context.lake.list(lakePaths.backfills(view)))
    await purgeBackfill(context, `${lakePaths.backfills(view)}/${interval}`);
}

async function purgeSnapshot(context: RunContext, directory: string): Promise<void> {
  const manifest = await context.lake.readJson(`${directory}/manifest.json`, runManifestSchema);
  if (manifest === undefined)
    throw new TributaryError("CORRUPT", `the lake's file ${directory}/manifest.json is missing`);
  const names = manifest.features.map(({ name }) => name);
  await purgeFile(context, {
    directory,
    path: manifest.snapshot.path,
    surviving: (rows) => survivingRowsQuery(rows, names),
    manifest: (snapshot) => ({ ...manifest, snapshot }),
  });
}

async function purgeBackfill(context: RunContext, directory: string): Promise<void> {
  const manifest = await context.lake.readJson(`${directory}/manifest.json`, backfillManifestSchema);
  // A run that was killed before it had written the manifest: nothing counts for it.
  if (manifest === undefined) return whileHeld(context, () => context.lake.remove(directory));
  await purgeFile(context, {
    directory,
    path: manifest.rows.path,
    surviving: (rows) => survivingIntervalQuery(rows, manifest.intervalEndMs),
    manifest: (rows) => ({ ...manifest, rows }),
  });
}

interface Purge {
  readonly directory: string;
  readonly path: string;
  readonly surviving: (rows: string) => string;
  readonly manifest: Parameters<typeof rewriteFile>[1]["manifest"];
}

async function purgeFile(context: RunContext, { directory, path, surviving, manifest }: Purge): Promise<void> {
  const { engine, lake } = context;
  const rows = `read_parquet(${literal(lake.absolute(path))})`;
  const query = surviving(rows);
  if ((await countRows(engine, rows)) > (await countRows(engine, `(${query})`)))
    await rewriteFile(context, { directory, query, manifest });
  // An earlier purge may have been killed between the manifest and the old file.
  else await whileHeld(context, () => clearUnnamed(lake, directory, { path }));
}

/** Older snapshots, and what runs have left that were never staged: nothing is staged now. */
async function clearOthers(context: RunContext, view: string, published: number | undefined): Promise<void> {
  const { lake } = context;
  await whileHeld(context, async () => {
    for (const run of await lake.list(lakePaths.snapshots(view)))
      if (run !== String(published)) await lake.remove(`${lakePaths.snapshots(view)}/${run}`);
    for (const run of await lake.list(lakePaths.stages(view))) await lake.remove(`${lakePaths.stages(view)}/${run}`);
  });
}
