import { assertFence } from "@tributary/shared/runtime/lease";
import type { Lake } from "../adapters/lake-files.ts";
import type { LakeFile } from "../core/run-manifest.ts";
import { type RunContext, step } from "./run-ports.ts";

/**
 * Another file in the place of one that a manifest names: written beside it, sealed, then the manifest is replaced, which is
 * atomic, and only then the old file goes. So at any instant the manifest names a whole file, the old or the new, with the size
 * and the hash that it has. What a crash leaves beside it is cleared by the next rewrite of the same folder.
 */
export interface Rewrite {
  readonly directory: string;
  /** The new file's rows. */
  readonly query: string;
  /** The manifest that names the new file. */
  readonly manifest: (file: LakeFile) => unknown;
}

/** @throws TributaryError FENCED: somebody else has the view, and nothing is changed */
export async function rewriteFile(context: RunContext, { directory, query, manifest }: Rewrite): Promise<void> {
  const { lake, engine, lease } = context;
  // No two holders of the view write the same file.
  const path = `${directory}/rows-${lease.fence}.parquet`;
  const rows = await engine.writeParquet(query, lake.absolute(path));
  const file = await lake.seal(path, rows);
  await step(context, "rewritten");
  await whileHeld(context, async () => {
    await lake.writeJson(`${directory}/manifest.json`, manifest(file));
    await clearUnnamed(lake, directory, file);
  });
  await step(context, "swapped");
}

/**
 * Changes files while nobody else can take the view: the lease is locked, not only looked at, so one that was paused and
 * overtaken changes nothing.
 * @throws TributaryError FENCED, UNAVAILABLE
 */
export function whileHeld({ database, lease }: RunContext, change: () => Promise<void>): Promise<void> {
  return database.transaction(async (query) => {
    await assertFence(query, lease);
    await change();
  });
}

/** Whatever lies in a manifest's folder and is not named by it. */
export async function clearUnnamed(lake: Lake, directory: string, { path }: Pick<LakeFile, "path">): Promise<void> {
  for (const name of await lake.list(directory)) {
    const other = `${directory}/${name}`;
    if (name !== "manifest.json" && other !== path) await lake.remove(other);
  }
}
