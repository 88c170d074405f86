import { TributaryError } from "@tributary/shared/contracts/errors";
import type { PostgresTable } from "@tributary/shared/contracts/source";
import type { OpenQuery } from "../adapters/postgres-query.ts";
import type { EngineColumn } from "../core/engine.ts";
import { columnProblems, landedType } from "../core/postgres-column.ts";
import { identifier, literal } from "../core/sql-text.ts";
import { badSource } from "./bad-source.ts";
import type { RefineContext } from "./refine-source.ts";

/** How the batch-runner reads its queries. */
export interface QueryReader {
  /** @throws TributaryError BAD_CONFIG when the connection has no URL, UNAVAILABLE, BAD_SOURCE */
  open(source: PostgresTable, signal: AbortSignal): Promise<OpenQuery>;
  /** More rows than this are refused. */
  readonly rowsMax: number;
}

const partBytesMax = 32 * 1024 * 1024;
const table = "_landing";

/** Writes the query's rows as they come to Parquet files in `directory`, one part in memory at a time; a scan of them. */
export async function landQuery(context: RefineContext, source: PostgresTable, directory: string): Promise<string> {
  const { engine, lake } = context;
  const query = await context.queries.open(source, context.signal);
  try {
    const problems = columnProblems(source.fields, query.columns);
    if (problems.length > 0) throw badSource(source, `its query ${problems.join("; it ")}`);
    await engine.exec(`CREATE OR REPLACE TEMP TABLE ${table} (${columnList(query)})`);
    await lake.makeDirectory(directory);
    await landParts(context, source, { query, directory });
    return `(SELECT *, ${literal(source.connection)} AS _file
      FROM read_parquet(${literal(lake.absolute(`${directory}/*.parquet`))}))`;
  } finally {
    await query.close();
    await engine.exec(`DROP TABLE IF EXISTS ${table}`);
  }
}

function columnList({ columns }: OpenQuery): string {
  const landed = columns.map((column): EngineColumn => ({ name: column.name, type: landedType(column) }));
  return landed.map(({ name, type }) => `${identifier(name)} ${type}`).join(", ");
}

interface Landing {
  readonly query: OpenQuery;
  readonly directory: string;
}

async function landParts(context: RefineContext, source: PostgresTable, { query, directory }: Landing): Promise<void> {
  const { engine, lake, queries } = context;
  let [rows, bytes, parts] = [0, 0, 0];
  const writePart = async () => {
    const path = `${directory}/${String(parts++).padStart(6, "0")}.parquet`;
    await engine.writeParquet(`SELECT * FROM ${table}`, lake.absolute(path));
    await engine.exec(`TRUNCATE ${table}`);
    bytes = 0;
  };
  for (let batch = await query.next(); batch !== undefined; batch = await query.next()) {
    context.signal.throwIfAborted();
    rows += batch.rows;
    if (rows > queries.rowsMax) throw tooManyRows(source, queries.rowsMax);
    await engine.append(table, batch);
    context.report({ progress: { step: `reading rows of ${source.name}`, done: rows, total: rows } });
    bytes += batch.bytes;
    if (bytes >= partBytesMax) await writePart();
  }
  // Also of no rows: what is scanned has to have its columns.
  if (bytes > 0 || parts === 0) await writePart();
}

function tooManyRows({ name }: PostgresTable, rowsMax: number): TributaryError {
  return new TributaryError("LIMIT_EXCEEDED", `source "${name}": its query gives more than ${rowsMax} rows`);
}
