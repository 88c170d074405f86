import { TributaryError } from "@tributary/shared/contracts/errors";
import type { PostgresTable } from "@tributary/shared/contracts/source";
import type { OpenQuery } from "../adapters/postgres-query.ts";
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

const table = "_landing";

/**
 * Reads the query into a table of the engine, which spills what its memory does not hold, gives `work` a scan of it and
 * drops it.
 */
export async function withLandedQuery<T>(
  context: RefineContext,
  source: PostgresTable,
  work: (scan: string) => Promise<T>,
): Promise<T> {
  const query = await context.queries.open(source, context.signal);
  try {
    const problems = columnProblems(source.fields, query.columns);
    if (problems.length > 0) throw badSource(source, `its query ${problems.join("; it ")}`);
    await context.engine.exec(`CREATE OR REPLACE TEMP TABLE ${table} (${columnList(query)})`);
    await land(context, source, query);
  } finally {
    await query.close();
  }
  const result = await work(`(SELECT *, ${literal(source.connection)} AS _file FROM ${table})`);
  await context.engine.exec(`DROP TABLE ${table}`);
  return result;
}

function columnList({ columns }: OpenQuery): string {
  return columns.map((column) => `${identifier(column.name)} ${landedType(column)}`).join(", ");
}

async function land(context: RefineContext, source: PostgresTable, query: OpenQuery): Promise<void> {
  const { engine, queries, report, signal } = context;
  let rows = 0;
  for (let batch = await query.next(); batch !== undefined; batch = await query.next()) {
    signal.throwIfAborted();
    rows += batch.rows;
    if (rows > queries.rowsMax) throw tooManyRows(source, queries.rowsMax);
    await engine.append(table, batch);
    report({ progress: { step: `reading ${source.name}`, done: rows, total: 0 } });
  }
}

function tooManyRows({ name }: PostgresTable, rowsMax: number): TributaryError {
  return new TributaryError("LIMIT_EXCEEDED", `source "${name}": its query gives more than ${rowsMax} rows`);
}
