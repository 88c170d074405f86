import {
  BLOB,
  BOOLEAN,
  DOUBLE,
  type DuckDBConnection,
  type DuckDBDataChunk,
  DuckDBScalarFunction,
  type DuckDBType,
  type DuckDBValue,
  FLOAT,
  INTEGER,
  LIST,
  VARCHAR,
} from "@duckdb/node-api";
import type { EngineFunction, PlainType } from "../core/engine.ts";
import { fromEngine, toEngine } from "./duckdb-value.ts";

/**
 * Makes a JavaScript function callable from SQL. The engine's threads hand their chunks to the one JavaScript thread, so it
 * runs one row after the other; a throw fails the statement. NULL is an argument like any other.
 */
export function registerFunction(connection: DuckDBConnection, fn: EngineFunction): void {
  const scalar = DuckDBScalarFunction.create({
    name: fn.name,
    parameterTypes: fn.parameters.map(engineType),
    returnType: engineType(fn.result),
    specialHandling: true,
    mainFunction: (_info, chunk, output) => {
      const columns = columnsOf(chunk);
      for (let row = 0; row < chunk.rowCount; row++)
        output.setItem(row, toEngine(fn.evaluate(columns.map((column) => fromEngine(column[row] ?? null)))));
      output.flush();
    },
  });
  connection.registerScalarFunction(scalar);
}

function columnsOf(chunk: DuckDBDataChunk): readonly (readonly DuckDBValue[])[] {
  return Array.from({ length: chunk.columnCount }, (_, i) => chunk.getColumnValues(i));
}

const types: Readonly<Record<Exclude<PlainType, `${string}[]`>, DuckDBType>> = {
  BOOLEAN,
  INTEGER,
  FLOAT,
  DOUBLE,
  VARCHAR,
  BLOB,
};

function engineType(type: PlainType): DuckDBType {
  return type.endsWith("[]") ? LIST(types[type.slice(0, -2) as keyof typeof types]) : types[type as keyof typeof types];
}
