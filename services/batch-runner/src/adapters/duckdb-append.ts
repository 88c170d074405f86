import { type DuckDBConnection, DuckDBDataChunk } from "@duckdb/node-api";
import type { EngineBatch } from "../core/engine.ts";
import { toEngine } from "./duckdb-value.ts";

/** What the engine takes in one piece. */
const rowsAtOnce = 2_048;

/** Adds rows to a table whose columns are VARCHAR, BLOB or VARCHAR[]. */
export async function appendBatch(connection: DuckDBConnection, table: string, batch: EngineBatch): Promise<void> {
  const appender = await connection.createAppender(table);
  try {
    const types = Array.from({ length: appender.columnCount }, (_, i) => appender.columnType(i));
    for (let from = 0; from < batch.rows; from += rowsAtOnce) {
      const columns = batch.columns.map((column) => column.slice(from, from + rowsAtOnce).map(toEngine));
      const chunk = DuckDBDataChunk.create(types, columns[0]?.length ?? 0);
      chunk.setColumns(columns);
      appender.appendDataChunk(chunk);
    }
  } finally {
    appender.closeSync();
  }
}
