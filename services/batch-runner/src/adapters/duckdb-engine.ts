import { mkdir } from "node:fs/promises";
import { type DuckDBConnection, type DuckDBDataChunk, DuckDBInstance } from "@duckdb/node-api";
import { type Engine, type EngineBatch, EngineError, type EngineErrorKind } from "../core/engine.ts";
import { keyMacros } from "../core/key-sql.ts";
import { literal } from "../core/sql-text.ts";
import { appendBatch } from "./duckdb-append.ts";
import { registerFunction } from "./duckdb-function.ts";
import { fromEngine } from "./duckdb-value.ts";

export interface DuckDbOptions {
  readonly memoryMb: number;
  readonly threads: number;
  /** Where queries that need more memory spill; bounded by `temporaryMb`. */
  readonly temporaryDirectory: string;
  readonly temporaryMb: number;
}

/**
 * An embedded DuckDB of its own, in UTC. Extensions neither load nor install by themselves: that would be a surprise
 * network call. The settings are locked, so that a view's SQL cannot lift them.
 */
export async function openDuckDb(options: DuckDbOptions): Promise<Engine> {
  await mkdir(options.temporaryDirectory, { recursive: true });
  const instance = await DuckDBInstance.create(":memory:", {
    threads: String(options.threads),
    memory_limit: `${options.memoryMb}MB`,
    temp_directory: options.temporaryDirectory,
    max_temp_directory_size: `${options.temporaryMb}MB`,
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
  });
  const connection = await instance.connect();
  for (const sql of ["SET TimeZone = 'UTC'", ...keyMacros, "SET lock_configuration = true"]) await connection.run(sql);
  return engineOf(instance, connection);
}

/** A row group is written out of memory, so wide rows want small ones; DuckDB's own default is three times this. */
const rowGroupRows = 40_960;

/** DuckDB forgets an interruption that comes while a statement is being prepared, so it is said again until the end. */
const interruptEveryMs = 50;

function engineOf(instance: DuckDBInstance, connection: DuckDBConnection): Engine {
  let interrupting: NodeJS.Timeout | undefined;
  const rows = async (sql: string) => (await guarded(() => connection.runAndReadAll(sql))).getRowObjects();
  return {
    exec: async (sql) => {
      await guarded(() => connection.run(sql));
    },
    describe: async (query) =>
      (await rows(`DESCRIBE ${query}`)).map((row) => ({
        name: String(row.column_name),
        type: String(row.column_type),
      })),
    stream: (query) => streamBatches(connection, query),
    register: (fn) => registerFunction(connection, fn),
    append: (table, batch) => guarded(() => appendBatch(connection, table, batch)),
    writeParquet: async (query, path) => {
      const options = `FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${rowGroupRows}`;
      const [written] = await rows(`COPY (${query}) TO ${literal(path)} (${options})`);
      return Number(written?.Count);
    },
    listFiles: async (pattern) =>
      (await rows(`SELECT file FROM glob(${literal(pattern)}) ORDER BY file`)).map((row) => String(row.file)),
    interrupt: () => {
      connection.interrupt();
      interrupting ??= setInterval(() => connection.interrupt(), interruptEveryMs);
    },
    close: () => {
      clearInterval(interrupting);
      connection.disconnectSync();
      instance.closeSync();
    },
  };
}

async function* streamBatches(connection: DuckDBConnection, query: string): AsyncGenerator<EngineBatch> {
  const result = await guarded(() => connection.stream(query));
  for (;;) {
    const chunk = await guarded(() => result.fetchChunk());
    if (chunk === null || chunk.rowCount === 0) return;
    yield batchOf(chunk);
  }
}

function batchOf(chunk: DuckDBDataChunk): EngineBatch {
  const columns = Array.from({ length: chunk.columnCount }, (_, i) => chunk.getColumnValues(i).map(fromEngine));
  return { rows: chunk.rowCount, columns };
}

async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw engineError(error);
  }
}

const kinds: readonly (readonly [RegExp, EngineErrorKind])[] = [
  [/^INTERRUPT Error/i, "interrupted"],
  [/^Out of Memory Error/i, "memory"],
  [/^(IO|HTTP|Permission) Error|parquet|magic bytes/i, "file"],
];

function engineError(error: unknown): EngineError {
  const message = error instanceof Error ? error.message : String(error);
  const kind = kinds.find(([pattern]) => pattern.test(message))?.[1] ?? "sql";
  return new EngineError(kind, withoutValues(message), { cause: undefined });
}

/** Errors about data quote the datum in '…'; those about names use "…". */
function withoutValues(message: string): string {
  const line = message.split("\n", 1)[0] ?? "";
  return /^(Conversion|Invalid Input|Out of Range|Constraint) Error/.test(line)
    ? line.replace(/'[^']*'/g, "'…'")
    : line;
}
