import { stat } from "node:fs/promises";
import { isAbsolute } from "node:path";
import type { FileTable } from "@tributary/shared/contracts/source";
import type { Lake } from "../adapters/lake-files.ts";
import { type Engine, EngineError } from "../core/engine.ts";
import { jsonFieldsQuery, scanOf } from "../core/source-query.ts";
import { badSource } from "./bad-source.ts";

/** A raw file as the manifest tells it apart from another of its name. */
export interface RawFile {
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
}

const filesMax = 10_000;

/** The files that a source's patterns match, in name order. @throws TributaryError BAD_SOURCE naming the pattern or file */
export async function findRawFiles(
  { lake, engine }: { readonly lake: Lake; readonly engine: Engine },
  source: FileTable,
): Promise<readonly RawFile[]> {
  const found = new Set<string>();
  for (const pattern of source.files) {
    const paths = await engine.listFiles(isAbsolute(pattern) ? pattern : lake.absolute(pattern));
    if (paths.length === 0) throw badSource(source, `no file matches "${pattern}"`);
    for (const path of paths) found.add(path);
  }
  if (found.size > filesMax) throw badSource(source, `${found.size} files match, at most ${filesMax} are read`);
  return Promise.all([...found].sort().map((path) => rawFile(source, path)));
}

async function rawFile(source: FileTable, path: string): Promise<RawFile> {
  try {
    const { size, mtimeMs } = await stat(path);
    return { path, size, mtimeMs };
  } catch (error) {
    throw badSource(source, `file ${path} cannot be read`, error);
  }
}

/** @throws TributaryError BAD_SOURCE naming the file and the columns it lacks */
export async function checkFile(engine: Engine, source: FileTable, path: string): Promise<void> {
  const names = await readable(source, path, () => columnsOf(engine, source, path));
  const missing = source.fields.filter((field) => !field.nullable && !names.has(field.name.toLowerCase()));
  if (missing.length > 0) {
    const list = missing.map((field) => `"${field.name}"`).join(", ");
    throw badSource(source, `file ${path} lacks column ${list}`);
  }
}

/** Lower-case names. JSON has no header: a column is there when any record has it, and a file without records lacks none. */
async function columnsOf(engine: Engine, source: FileTable, path: string): Promise<ReadonlySet<string>> {
  if (source.format !== "json") {
    const columns = await engine.describe(`SELECT * FROM ${scanOf(source, [path])}`);
    return new Set(columns.map((column) => column.name.toLowerCase()));
  }
  for await (const { columns } of engine.stream(jsonFieldsQuery(source, path))) {
    const [records, ...counts] = columns.map((column) => Number(column[0]));
    const present = source.fields.filter((_, i) => records === 0 || (counts[i] ?? 0) > 0);
    return new Set(present.map(({ name }) => name.toLowerCase()));
  }
  return new Set();
}

/** Damage inside a file shows only when it is read; then each is read alone, to name the one. */
export async function findBadFile(engine: Engine, source: FileTable, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    await readable(source, path, async () => {
      for await (const _ of engine.stream(`SELECT * FROM ${scanOf(source, [path])}`));
    });
  }
}

async function readable<T>(source: FileTable, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof EngineError) || error.kind === "interrupted") throw error;
    throw badSource(source, `file ${path} cannot be read as ${source.format}: ${error.message}`, error);
  }
}
