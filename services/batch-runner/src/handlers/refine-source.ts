import { createHash } from "node:crypto";
import type { FileTable, PostgresTable, TableSource } from "@tributary/shared/contracts/source";
import { z } from "zod";
import type { Lake } from "../adapters/lake-files.ts";
import { type Engine, EngineError } from "../core/engine.ts";
import { lakePaths } from "../core/lake-layout.ts";
import { contentQuery, quarantineQuery, refinedQuery, scanOf, typedSourceQuery } from "../core/source-query.ts";
import { badSource } from "./bad-source.ts";
import { type QueryReader, withLandedQuery } from "./land-query.ts";
import { checkFile, findBadFile, findRawFiles, type RawFile } from "./raw-files.ts";
import type { RunContext } from "./run-ports.ts";

/**
 * Brings `refined/<source>` up to date and says where its rows are. Whether there is anything to do is told by the manifest
 * of the raw files (names, sizes, times of change), never by a position in time (B5); of a query, which has no manifest, by
 * the fingerprint of its typed rows.
 */
export interface RefineContext {
  readonly lake: Lake;
  readonly engine: Engine;
  readonly instance: string;
  readonly queries: QueryReader;
  readonly signal: AbortSignal;
  readonly report: RunContext["report"];
}

const manifestSchema = z.object({
  format: z.literal(1),
  source: z.string(),
  /** Fingerprint of the definition and the raw files, or the typed rows of a query; names the directory. */
  input: z.string(),
  files: z.array(z.object({ path: z.string(), size: z.number(), mtimeMs: z.number() })),
  rows: z.number().int(),
  quarantined: z.number().int(),
  /** Inputs that are kept for runs that still read them, newest first. */
  kept: z.array(z.string()).optional(),
});
type Manifest = z.infer<typeof manifestSchema>;

export interface RefinedSource {
  /** Absolute path of the Parquet file. */
  readonly path: string;
  readonly rows: number;
  readonly quarantined: number;
  readonly wasUnchanged: boolean;
}

/** @throws TributaryError BAD_SOURCE naming the file or query and the column, UNAVAILABLE, BAD_CONFIG, LIMIT_EXCEEDED */
export function refineSource(context: RefineContext, source: TableSource): Promise<RefinedSource> {
  return source.format === "postgres" ? refineQuery(context, source) : refineFiles(context, source);
}

async function refineFiles(context: RefineContext, source: FileTable): Promise<RefinedSource> {
  const { engine } = context;
  const files = await findRawFiles(context, source);
  const paths = files.map((file) => file.path);
  return refineWhenNew(context, source, {
    input: fingerprintOf(source, files),
    files,
    typed: async () => {
      for (const path of paths) await checkFile(engine, source, path);
      return typedRows(context, source, scanOf(source, paths));
    },
    onDamage: () => findBadFile(engine, source, paths),
  });
}

function refineQuery(context: RefineContext, source: PostgresTable): Promise<RefinedSource> {
  return withLandedQuery(context, source, async (scan) => {
    const typed = await typedRows(context, source, scan);
    const input = fingerprintOf(source, await contentOf(context, typed));
    return refineWhenNew(context, source, { input, files: [], typed: async () => typed });
  });
}

async function typedRows({ engine }: RefineContext, source: TableSource, scan: string): Promise<string> {
  return `(${typedSourceQuery(source, scan, await engine.describe(`SELECT * FROM ${scan}`))})`;
}

async function contentOf({ engine }: RefineContext, typed: string): Promise<readonly unknown[]> {
  for await (const { columns } of engine.stream(contentQuery(typed))) return columns.map((column) => column[0]);
  return [];
}

/** What makes the input this one: an edited definition refines anew. */
function fingerprintOf(source: TableSource, content: readonly unknown[]): string {
  const { format, fields, unique } = source;
  const files = source.format === "postgres" ? content.map(String) : content;
  return createHash("sha256").update(JSON.stringify({ format, fields, unique, files })).digest("hex").slice(0, 16);
}

interface Input {
  readonly input: string;
  readonly files: readonly RawFile[];
  /** The typed rows, as a relation. */
  readonly typed: () => Promise<string>;
  /** Names the file that cannot be read, by throwing. */
  readonly onDamage?: () => Promise<void>;
}

async function refineWhenNew(context: RefineContext, source: TableSource, found: Input): Promise<RefinedSource> {
  const { lake } = context;
  const { input } = found;
  const before = await lake.readJson(lakePaths.refinedManifest(source.name), manifestSchema);
  const path = lake.absolute(lakePaths.refinedRows(source.name, input));
  if (before?.input === input && (await lake.exists(lakePaths.refinedRows(source.name, input)))) {
    return { path, rows: before.rows, quarantined: before.quarantined, wasUnchanged: true };
  }
  const kept = keptInputs(source, input, before);
  const written = { ...(await writeRefined(context, source, found)), kept };
  await lake.writeJson(lakePaths.refinedManifest(source.name), written);
  await removeOld(lake, source.name, kept);
  return { path, rows: written.rows, quarantined: written.quarantined, wasUnchanged: false };
}

async function writeRefined(context: RefineContext, source: TableSource, found: Input): Promise<Manifest> {
  const { lake, engine } = context;
  const { input, files } = found;
  const write = async (query: string, path: string): Promise<number> => {
    const temporary = `${path}.${context.instance}.tmp`;
    await lake.makeDirectory(path.slice(0, path.lastIndexOf("/")));
    const rows = await engine.writeParquet(query, lake.absolute(temporary));
    await lake.move(temporary, path);
    return rows;
  };
  const typed = await found.typed();
  try {
    const quarantined = await write(quarantineQuery(typed), lakePaths.quarantine(source.name, input));
    const rows = await write(refinedQuery(source, typed), lakePaths.refinedRows(source.name, input));
    return { format: 1, source: source.name, input, files: [...files], rows, quarantined };
  } catch (error) {
    if (!(error instanceof EngineError) || (error.kind !== "sql" && error.kind !== "file")) throw error;
    await found.onDamage?.();
    throw error.kind === "file" ? error : badSource(source, `it cannot be refined: ${error.message}`, error);
  }
}

/** Earlier inputs stay for runs of other views that are reading them: files change seldom, a query with every run. */
function keptInputs(source: TableSource, input: string, before: Manifest | undefined): string[] {
  const earlier = before === undefined ? [] : [before.input, ...(before.kept ?? [])];
  const others = [...new Set(earlier)].filter((one) => one !== input);
  return [input, ...others.slice(0, source.format === "postgres" ? 7 : 1)];
}

async function removeOld(lake: Lake, source: string, kept: readonly string[]): Promise<void> {
  for (const name of await lake.list(lakePaths.refined(source))) {
    if (/^[0-9a-f]{16}$/.test(name) && !kept.includes(name)) await lake.remove(`${lakePaths.refined(source)}/${name}`);
  }
}
