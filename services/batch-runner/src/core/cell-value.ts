import type { FeatureValue } from "@tributary/shared/contracts/chunk";
import type { ColumnShape } from "./column-type.ts";

/** The stored column as an expression of plain JavaScript type: safe integers, epoch ms and days as numbers; wide int64 as bigint. */
export function plainColumn(shape: ColumnShape, column: string): string {
  switch (shape.type) {
    case "int64":
      return shape.as === "bigint" ? column : `${column}::DOUBLE`;
    case "timestamp":
      return `epoch_ms(${column})::DOUBLE`;
    case "date":
      return `(${column} - DATE '1970-01-01')::DOUBLE`;
    case "list":
      return shape.of === "int64" && shape.as !== "bigint" ? `${column}::DOUBLE[]` : column;
    default:
      return column;
  }
}

/** From the plain value to the value as it travels; decided once per column. */
export function cellReader(shape: ColumnShape): (plain: unknown) => FeatureValue {
  switch (shape.type) {
    case "json":
      return (plain) => (plain === null ? null : (JSON.parse(plain as string) as FeatureValue));
    case "vector":
      return (plain) => (plain === null ? null : float32Bytes(plain as readonly number[]));
    case "int64":
      return shape.as === "bigint" ? narrow : asItIs;
    case "list":
      return shape.as === "bigint" ? narrowItems : asItIs;
    default:
      return asItIs;
  }
}

const asItIs = (plain: unknown): FeatureValue => plain as FeatureValue;

/** A whole number travels as a number while it is safe: equal values have equal bytes. */
function narrow(plain: unknown): FeatureValue {
  return typeof plain === "bigint" && Number.isSafeInteger(Number(plain)) ? Number(plain) : (plain as FeatureValue);
}

function narrowItems(plain: unknown): FeatureValue {
  return Array.isArray(plain) ? plain.map(narrow) : (plain as FeatureValue);
}

function float32Bytes(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    view.setFloat32(i * 4, value, true);
  });
  return bytes;
}
