/**
 * The SQL engine as the batch lane sees it: statements in, Parquet files out, rows as a stream. DuckDB is embedded today;
 * an engine for more than one machine implements the same port. Rows are never collected.
 */
export interface EngineColumn {
  readonly name: string;
  /** The engine's own type name, for example `DECIMAL(18,3)`. */
  readonly type: string;
}

/** One array a column, of plain values: null, boolean, number, bigint, string, Uint8Array or arrays of them. */
export interface EngineBatch {
  readonly rows: number;
  readonly columns: readonly (readonly unknown[])[];
}

/** What a function of our own takes and gives; timestamps and whole numbers go as DOUBLE, json as VARCHAR. */
type PlainScalar = "BOOLEAN" | "INTEGER" | "FLOAT" | "DOUBLE" | "VARCHAR" | "BLOB";
export type PlainType = PlainScalar | `${PlainScalar}[]`;

/** A function of the SQL that is computed here, for one row at a time. It must give the same for the same arguments. */
export interface EngineFunction {
  readonly name: string;
  readonly parameters: readonly PlainType[];
  readonly result: PlainType;
  /** Arguments in order, null for NULL; a throw fails the statement. */
  readonly evaluate: (given: readonly unknown[]) => unknown;
}

export interface Engine {
  exec(sql: string): Promise<void>;
  /** Names and types that a query would return, without running it. */
  describe(query: string): Promise<readonly EngineColumn[]>;
  /** Streams a query's rows in its order; not more than a few thousand are held at once. */
  stream(query: string): AsyncIterable<EngineBatch>;
  /** Writes a query's rows to one Parquet file, replacing it; the number of rows. */
  writeParquet(query: string, path: string): Promise<number>;
  /** Makes the function callable from now on. */
  register(fn: EngineFunction): void;
  /** Adds rows to a table whose columns are VARCHAR (text), BLOB (Uint8Array) or VARCHAR[] (lists of text). */
  append(table: string, batch: EngineBatch): Promise<void>;
  /** Absolute paths that match a glob, in name order. */
  listFiles(pattern: string): Promise<readonly string[]>;
  /** Makes the statement that is running, and every later one that lasts, fail with kind `interrupted`. */
  interrupt(): void;
  close(): void;
}

export type EngineErrorKind = "interrupted" | "memory" | "file" | "sql";

/** A statement that failed. The message is the engine's first line without quoted values: those may be personal data. */
export class EngineError extends Error {
  readonly kind: EngineErrorKind;

  constructor(kind: EngineErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "EngineError";
    this.kind = kind;
  }
}
