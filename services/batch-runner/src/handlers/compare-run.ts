import { TributaryError } from "@tributary/shared/contracts/errors";
import type { BatchRunCounts } from "@tributary/shared/contracts/status";
import type { Published } from "../adapters/ledger.ts";
import {
  type ChangeCounts,
  type ComparedFeature,
  countsOf,
  deleteShare,
  emptySnapshotQuery,
  nextSnapshotQuery,
  ofRunQuery,
  runColumn,
  sentColumn,
} from "../core/change-detection.ts";
import { storedType } from "../core/column-type.ts";
import { survivingRowsQuery } from "../core/erasure-sql.ts";
import { partitionsToConfirm } from "../core/interval.ts";
import { lakePaths } from "../core/lake-layout.ts";
import type { LakeFile, RunManifest } from "../core/run-manifest.ts";
import { comparableFeatures, runManifestSchema } from "../core/run-manifest.ts";
import { identifier, literal } from "../core/sql-text.ts";
import type { Computed, ComputeInput } from "./compute-run.ts";
import type { ErasedKeys } from "./open-erased.ts";
import { type RunContext, step } from "./run-ports.ts";

/** Compares `_current` with the published snapshot and writes the next snapshot, the delta and the manifest of both. */
export interface CompareInput extends ComputeInput {
  readonly published: Published | undefined;
  readonly computed: Computed;
}

export interface Compared {
  readonly manifest: RunManifest;
  readonly counts: BatchRunCounts;
}

/** @throws TributaryError DELETE_GUARD, CORRUPT */
export async function compareRun(context: RunContext, input: CompareInput): Promise<Compared> {
  const { view, run, published } = input;
  const before = await publishedManifest(context, input);
  const features = comparedFeatures(input, before);
  await openPublished(context, { features, erased: input.erased }, before);
  const snapshotPath = `${lakePaths.snapshot(view.name, run)}/rows.parquet`;
  await context.lake.makeDirectory(lakePaths.snapshot(view.name, run));
  context.report({ progress: { step: "comparing", done: 0, total: 1 } });
  const query = nextSnapshotQuery({ features, run, intervalEndMs: input.intervalEndMs });
  const snapshot = await writeSealed(context, query, snapshotPath);
  const changes = await changesOf(context, snapshot);
  const { rowsWithheld, rowsErased } = input.computed;
  const counts = { ...countsOf(changes, rowsWithheld), ...(rowsErased > 0 && { erased: rowsErased }) };
  guardDeletes(input, changes);
  const delta = await writeDelta(context, input, { features, snapshot });
  await step(context, "compared");
  const isRerun = published?.intervalEndMs === input.intervalEndMs;
  const already = isRerun && published.viewVersion === view.version ? published.confirmed : [];
  const confirm = partitionsToConfirm({
    partitions: input.catalog.partitions,
    withheld: input.computed.partitionsWithheld,
    confirmed: new Set(already),
  });
  const manifest: RunManifest = {
    format: 1,
    view: view.name,
    viewVersion: view.version,
    catalogVersion: input.catalog.version,
    run,
    intervalEndMs: input.intervalEndMs,
    partitions: input.catalog.partitions,
    features: view.features,
    snapshot,
    delta,
    confirm,
    confirmed: [...already, ...confirm].sort((a, b) => a - b),
  };
  return { manifest, counts };
}

async function publishedManifest({ lake }: RunContext, input: CompareInput): Promise<RunManifest | undefined> {
  if (input.published === undefined) return undefined;
  const path = `${lakePaths.snapshot(input.view.name, input.published.run)}/manifest.json`;
  const manifest = await lake.readJson(path, runManifestSchema);
  if (manifest === undefined) throw new TributaryError("CORRUPT", `the lake's file ${path} is missing`);
  if (!(await lake.exists(manifest.snapshot.path)))
    throw new TributaryError("CORRUPT", `the lake's file ${manifest.snapshot.path} is missing`);
  return manifest;
}

function comparedFeatures({ view }: CompareInput, before: RunManifest | undefined): readonly ComparedFeature[] {
  const comparable = comparableFeatures(before, { viewVersion: view.version, features: view.features });
  return view.features.map((feature) => ({
    name: feature.name,
    stored: storedType(feature, `feature "${feature.name}" of view "${view.name}"`),
    tolerance: feature.tolerance,
    comparable: comparable.has(feature.name),
  }));
}

async function openPublished(
  { engine, lake }: RunContext,
  { features, erased }: { readonly features: readonly ComparedFeature[]; readonly erased: ErasedKeys },
  before: RunManifest | undefined,
): Promise<void> {
  const all = () => `read_parquet(${literal(lake.absolute(before?.snapshot.path ?? ""))})`;
  const names = () => before?.features.map(({ name }) => name) ?? [];
  // What an erasure covers is gone in the store: it is neither compared with nor withdrawn again.
  const held = () => (erased.erased === 0 ? `SELECT * FROM ${all()}` : survivingRowsQuery(all(), names()));
  await engine.exec(`CREATE VIEW _published AS ${before === undefined ? emptySnapshotQuery(features) : held()}`);
}

async function writeSealed({ engine, lake }: RunContext, query: string, path: string): Promise<LakeFile> {
  const rows = await engine.writeParquet(query, lake.absolute(path));
  return lake.seal(path, rows);
}

async function changesOf({ engine, lake }: RunContext, snapshot: LakeFile): Promise<ChangeCounts> {
  const file = literal(lake.absolute(snapshot.path));
  const counts: Record<string, number> = {};
  for await (const { rows, columns } of engine.stream(
    `SELECT _change, count(*)::DOUBLE FROM read_parquet(${file}) GROUP BY _change`,
  )) {
    for (let i = 0; i < rows; i++) counts[String(columns[0]?.[i])] = Number(columns[1]?.[i]);
  }
  return counts;
}

function guardDeletes({ view, run }: CompareInput, changes: ChangeCounts): void {
  const share = deleteShare(changes);
  if (share <= view.deleteShareMax) return;
  const percent = (part: number) => `${(part * 100).toFixed(1)} %`;
  throw new TributaryError(
    "DELETE_GUARD",
    `run ${run} of view "${view.name}" would delete ${changes.deleted} published rows, ${percent(share)} of them; ` +
      `allowed are ${percent(view.deleteShareMax)}`,
  );
}

/** B2: only rows with a cell of this run, in the order in which they are published. */
function writeDelta(
  context: RunContext,
  { view, run }: CompareInput,
  { features, snapshot }: { readonly features: readonly ComparedFeature[]; readonly snapshot: LakeFile },
): Promise<LakeFile> {
  const cells = view.features.flatMap(({ name }) => [
    identifier(name),
    `${runColumn(name)} = ${run} AS ${sentColumn(name)}`,
  ]);
  const query = `SELECT _partition, _key, _gone, ${cells.join(", ")}
    FROM read_parquet(${literal(context.lake.absolute(snapshot.path))})
    WHERE ${ofRunQuery({ features, run })} ORDER BY _partition, _key`;
  return writeSealed(context, query, `${lakePaths.stage(view.name, run)}/delta.parquet`);
}
