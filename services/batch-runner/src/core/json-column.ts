import type { FeatureType } from "@tributary/shared/contracts/feature";

/**
 * A JSON value as the plain SQL value that the casts know: text for what stands alone, a list of texts for what is a list.
 * Timestamps may be whole numbers of epoch milliseconds, bytes are base64: as everywhere on the wire.
 */
export interface PlainColumn {
  readonly column: string;
  /** The engine's type of it. */
  readonly type: string;
}

export function plainOfJson(type: FeatureType, column: string): PlainColumn {
  const text = jsonText(column);
  switch (type) {
    case "json":
      return { column, type: "JSON" };
    case "list":
    case "vector":
      return { column: `try_cast(${column} AS VARCHAR[])`, type: "VARCHAR[]" };
    case "bytes":
      return { column: `TRY(from_base64(${text}))`, type: "BLOB" };
    case "timestamp":
      return { column: `CASE WHEN ${isWhole(column)} THEN ${instantText(text)} ELSE ${text} END`, type: "VARCHAR" };
    default:
      return { column: text, type: "VARCHAR" };
  }
}

/** Its text; NULL for JSON null. */
export function jsonText(column: string): string {
  return `json_extract_string(${column}, '$')`;
}

function isWhole(column: string): string {
  return `json_type(${column}) IN ('BIGINT', 'UBIGINT')`;
}

function instantText(text: string): string {
  return `TRY(epoch_ms(try_cast(${text} AS BIGINT)))::VARCHAR`;
}
