import { decodePayload } from "@tributary/shared/codec/json-or-msgpack";
import { type Erasure, erasureSchema, type LakeErasureCheck } from "@tributary/shared/contracts/erasure";
import { TributaryError } from "@tributary/shared/contracts/errors";
import type { BatchRunStatus } from "@tributary/shared/contracts/status";
import { z } from "zod";
import { type Engine, EngineError } from "../core/engine.ts";
import type { ErasureBook } from "../core/erasure-book.ts";
import { lakePaths } from "../core/lake-layout.ts";
import { backfillManifestSchema } from "../core/run-manifest.ts";
import { identifier, literal } from "../core/sql-text.ts";
import { countRows } from "./count-rows.ts";
import type { EntityViews } from "./entity-views.ts";
import type { RunPorts } from "./run-ports.ts";

const requestSchema = z.object({ id: erasureSchema.shape.id });
/** Of a view, the newest: older ones have nothing in the lake any more. */
const runsMax = 1_000;

/**
 * `batch.erasure`: reads every file that the lake keeps of the entity's views, and names those with rows that the erasure covers.
 * @throws TributaryError MALFORMED, NOT_FOUND, UNAVAILABLE, CORRUPT
 */
export async function verifyErasure(ports: RunPorts, views: EntityViews, data: Uint8Array): Promise<LakeErasureCheck> {
  const asked = requestSchema.safeParse(decodePayload(data).value);
  if (!asked.success) throw new TributaryError("MALFORMED", "the id of an erasure is letters and digits");
  const book = await ports.erasures.read();
  const erasure = book.find(asked.data.id);
  if (erasure === undefined) throw new TributaryError("NOT_FOUND", "there is no such erasure");
  await views.refresh();
  const engine = await ports.openEngine();
  try {
    const found = { files: 0, residual: [] as string[] };
    for (const view of views.of(erasure.entity)) await lookThrough({ ports, engine, book, erasure }, view, found);
    return { id: erasure.id, ...found };
  } finally {
    engine.close();
  }
}

interface Look {
  readonly ports: RunPorts;
  readonly engine: Engine;
  readonly book: ErasureBook;
  readonly erasure: Erasure;
}

async function lookThrough(look: Look, view: string, found: { files: number; residual: string[] }): Promise<void> {
  const runs = await look.ports.ledger.recent(view, runsMax);
  for (const { path, run, intervalEndMs } of await filesOf(look, view, runs)) {
    const isCovered = await coversRows(look, path, intervalEndMs).catch((error: unknown) => {
      if (error instanceof EngineError && error.kind === "file") return undefined;
      throw error;
    });
    if (isCovered === undefined) await mayBeUnreadable(look, path, run);
    else found.files += 1;
    if (isCovered === true) found.residual.push(path);
  }
}

/**
 * A file that is gone meanwhile, or that a run is writing: the run knows of the erasure, else its view could not have been purged.
 * @throws TributaryError CORRUPT for any other
 */
async function mayBeUnreadable({ ports }: Look, path: string, run: BatchRunStatus | undefined): Promise<void> {
  if (run?.phase === "computing" || !(await ports.lake.exists(path))) return;
  throw new TributaryError("CORRUPT", `the lake's file ${path} cannot be read`);
}

interface FoundFile {
  readonly path: string;
  readonly run: BatchRunStatus | undefined;
  /** Of all its rows; undefined where nothing says it. */
  readonly intervalEndMs: number | undefined;
}

async function filesOf({ ports }: Look, view: string, runs: readonly BatchRunStatus[]): Promise<FoundFile[]> {
  const { lake } = ports;
  const files: FoundFile[] = [];
  const add = async (folder: string, run: BatchRunStatus | undefined, intervalEndMs: number | undefined) => {
    const names = (await lake.list(folder)).filter((name) => name.endsWith(".parquet"));
    files.push(...names.map((name) => ({ path: `${folder}/${name}`, run, intervalEndMs })));
  };
  for (const parent of [lakePaths.snapshots(view), lakePaths.stages(view)]) {
    for (const name of await lake.list(parent)) {
      const run = runs.find((one) => one.run === Number(name));
      await add(`${parent}/${name}`, run, run?.intervalEndMs);
    }
  }
  for (const name of await lake.list(lakePaths.backfills(view))) {
    const folder = `${lakePaths.backfills(view)}/${name}`;
    const manifest = await lake.readJson(`${folder}/manifest.json`, backfillManifestSchema);
    await add(folder, undefined, manifest?.intervalEndMs);
  }
  return files;
}

/** Where each cell has its version, by the cells; else by the interval. */
async function coversRows(look: Look, path: string, intervalEndMs: number | undefined): Promise<boolean> {
  const { engine, ports, erasure, book } = look;
  const rows = `read_parquet(${literal(ports.lake.absolute(path))})`;
  const times = (await engine.describe(`SELECT * FROM ${rows}`)).filter(({ name }) => name.endsWith(":time"));
  const ofKey = `${rows} WHERE _key = ${literal(erasure.key)}`;
  if (times.length > 0) {
    const least = `least(${times.map(({ name }) => identifier(name)).join(", ")})`;
    return (await countRows(engine, `${ofKey} AND ${least} <= ${erasure.eventTime}::BIGINT`)) > 0;
  }
  if (intervalEndMs !== undefined && !book.keepsOut(erasure, intervalEndMs)) return false;
  return (await countRows(engine, ofKey)) > 0;
}
