import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { isAbsolute } from "node:path";
import { TributaryError } from "@tributary/shared/contracts/errors";
import type { TableSource } from "@tributary/shared/contracts/source";
import { z } from "zod";
import type { Lake } from "../adapters/lake-files.ts";
import { type Engine, EngineError } from "../core/engine.ts";
import { lakePaths } from "../core/lake-layout.ts";
import { quarantineQuery, refinedQuery, scanOf, typedSourceQuery } from "../core/source-query.ts";

/**
 * Brings `refined/<source>` up to date with the raw files and says where its rows are. Whether there is anything to do is
 * told by the manifest of the raw files (names, sizes, times of change), never by a position in time (B5).
 */
export interface RefineContext {
  readonly lake: Lake;
  readonly engine: Engine;
  readonly instance: string;
}

const manifestSchema = z.object({
  format: z.literal(1),
  source: z.string(),
  /** Fingerprint of the definition and the raw files; names the directory. */
  input: z.string(),
  files: z.array(z.object({ path: z.string(), size: z.number(), mtimeMs: z.number() })),
  rows: z.number().int(),
  quarantined: z.number().int(),
});
type Manifest = z.infer<typeof manifestSchema>;
type RawFile = Manifest["files"][number];

export interface RefinedSource {
  /** Absolute path of the Parquet file. */
  readonly path: string;
  readonly rows: number;
  readonly quarantined: number;
  readonly wasUnchanged: boolean;
}

const filesMax = 10_000;

/** @throws TributaryError BAD_SOURCE naming the file and the column */
export async function refineSource(context: RefineContext, source: TableSource): Promise<RefinedSource> {
  const { lake } = context;
  const files = await rawFiles(context, source);
  const input = fingerprintOf(source, files);
  const before = await lake.readJson(lakePaths.refinedManifest(source.name), manifestSchema);
  const path = lake.absolute(lakePaths.refinedRows(source.name, input));
  if (before?.input === input && (await lake.exists(lakePaths.refinedRows(source.name, input)))) {
    return { path, rows: before.rows, quarantined: before.quarantined, wasUnchanged: true };
  }
  const written = await refine(context, source, { files, input });
  await lake.writeJson(lakePaths.refinedManifest(source.name), written);
  await removeOld(lake, source.name, [input, before?.input]);
  return { path, rows: written.rows, quarantined: written.quarantined, wasUnchanged: false };
}

async function rawFiles({ lake, engine }: RefineContext, source: TableSource): Promise<readonly RawFile[]> {
  if (source.format === "postgres") throw badSource(source, "this runner reads no PostgreSQL tables");
  const found = new Set<string>();
  for (const pattern of source.files) {
    const paths = await engine.listFiles(isAbsolute(pattern) ? pattern : lake.absolute(pattern));
    if (paths.length === 0) throw badSource(source, `no file matches "${pattern}"`);
    for (const path of paths) found.add(path);
  }
  if (found.size > filesMax) throw badSource(source, `${found.size} files match, at most ${filesMax} are read`);
  return Promise.all([...found].sort().map((path) => rawFile(source, path)));
}

async function rawFile(source: TableSource, path: string): Promise<RawFile> {
  try {
    const { size, mtimeMs } = await stat(path);
    return { path, size, mtimeMs };
  } catch (error) {
    throw badSource(source, `file ${path} cannot be read`, error);
  }
}

function fingerprintOf(source: TableSource, files: readonly RawFile[]): string {
  const { format, fields, unique } = source;
  return createHash("sha256").update(JSON.stringify({ format, fields, unique, files })).digest("hex").slice(0, 16);
}

interface Input {
  readonly files: readonly RawFile[];
  readonly input: string;
}

async function refine(context: RefineContext, source: TableSource, { files, input }: Input): Promise<Manifest> {
  const { lake, engine } = context;
  const paths = files.map((file) => file.path);
  for (const path of paths) await checkFile(engine, source, path);
  const scan = scanOf(source, paths);
  const typed = `(${typedSourceQuery(source, scan, await engine.describe(`SELECT * FROM ${scan}`))})`;
  const write = async (query: string, path: string): Promise<number> => {
    const temporary = `${path}.${context.instance}.tmp`;
    await lake.makeDirectory(path.slice(0, path.lastIndexOf("/")));
    const rows = await engine.writeParquet(query, lake.absolute(temporary));
    await lake.move(temporary, path);
    return rows;
  };
  try {
    const quarantined = await write(quarantineQuery(typed), lakePaths.quarantine(source.name, input));
    const rows = await write(refinedQuery(source, typed), lakePaths.refinedRows(source.name, input));
    return { format: 1, source: source.name, input, files: [...files], rows, quarantined };
  } catch (error) {
    if (!(error instanceof EngineError) || (error.kind !== "sql" && error.kind !== "file")) throw error;
    await findBadFile(engine, source, paths);
    throw error.kind === "file" ? error : badSource(source, `it cannot be refined: ${error.message}`, error);
  }
}

async function checkFile(engine: Engine, source: TableSource, path: string): Promise<void> {
  const columns = await readable(source, path, () => engine.describe(`SELECT * FROM ${scanOf(source, [path])}`));
  const names = new Set(columns.map((column) => column.name.toLowerCase()));
  const missing = source.fields.filter((field) => !field.nullable && !names.has(field.name.toLowerCase()));
  if (missing.length > 0) {
    const list = missing.map((field) => `"${field.name}"`).join(", ");
    throw badSource(source, `file ${path} lacks column ${list}`);
  }
}

/** Damage inside a file shows only when it is read; then each is read alone, to name the one. */
async function findBadFile(engine: Engine, source: TableSource, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    await readable(source, path, async () => {
      for await (const _ of engine.stream(`SELECT * FROM ${scanOf(source, [path])}`));
    });
  }
}

async function readable<T>(source: TableSource, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof EngineError) || error.kind === "interrupted") throw error;
    throw badSource(source, `file ${path} cannot be read as ${source.format}: ${error.message}`, error);
  }
}

function badSource(source: TableSource, why: string, cause?: unknown): TributaryError {
  return new TributaryError("BAD_SOURCE", `source "${source.name}": ${why}`, { cause });
}

/** The previous input stays, for a run of another view that is reading it. */
async function removeOld(lake: Lake, source: string, kept: readonly (string | undefined)[]): Promise<void> {
  for (const name of await lake.list(lakePaths.refined(source))) {
    if (/^[0-9a-f]{16}$/.test(name) && !kept.includes(name)) await lake.remove(`${lakePaths.refined(source)}/${name}`);
  }
}
