import { DuckDBArrayValue, DuckDBBlobValue, DuckDBListValue, type DuckDBValue, listValue } from "@duckdb/node-api";

/** The engine's value as a plain one: null, boolean, number, bigint, string, Uint8Array or an array of them. */
export function fromEngine(value: DuckDBValue): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof DuckDBBlobValue) return new Uint8Array(value.bytes);
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue) return value.items.map(fromEngine);
  return value;
}

/** And back. */
export function toEngine(value: unknown): DuckDBValue {
  if (value instanceof Uint8Array) return new DuckDBBlobValue(value);
  return Array.isArray(value) ? listValue(value.map(toEngine)) : (value as DuckDBValue);
}
