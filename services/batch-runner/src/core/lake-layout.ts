/**
 * Where the batch lane keeps its files, relative to the lake's root.
 *
 *   raw/<source>/…                          as landed, never written here
 *   refined/<source>/<input>/rows.parquet   typed, de-duplicated; <input> names the manifest it was made from
 *   refined/<source>/quarantine/<input>.parquet
 *   refined/<source>/manifest.json          which input is current
 *   features/<view>/snapshots/<run>/        manifest.json, and the Parquet file that it names: every cell with its version
 *   features/<view>/backfill/<interval>/    a run for an interval before the published one (B3)
 *   stage/<view>/<run>/                     computed, delta and manifest of a run that is not committed yet
 */
export const lakePaths = {
  refined: (source: string) => `refined/${source}`,
  refinedRows: (source: string, input: string) => `refined/${source}/${input}/rows.parquet`,
  quarantine: (source: string, input: string) => `refined/${source}/quarantine/${input}.parquet`,
  refinedManifest: (source: string) => `refined/${source}/manifest.json`,
  snapshots: (view: string) => `features/${view}/snapshots`,
  snapshot: (view: string, run: number) => `features/${view}/snapshots/${run}`,
  backfills: (view: string) => `features/${view}/backfill`,
  backfill: (view: string, intervalEndMs: number) =>
    `features/${view}/backfill/${new Date(intervalEndMs).toISOString().replaceAll(":", "")}`,
  stages: (view: string) => `stage/${view}`,
  stage: (view: string, run: number) => `stage/${view}/${run}`,
  temporary: (instance: string) => `temporary/${instance}`,
} as const;
