import type { FeatureValue } from "@tributary/shared/contracts/chunk";
import type { Feature, FeatureType } from "@tributary/shared/contracts/feature";

const dayMs = 86_400_000;

/** From the wire to JavaScript: decided once a column, applied to each value. */
export type Convert = (value: FeatureValue) => unknown;

/** How a type is shown. */
export type Shown = Pick<Feature, "type" | "of" | "as">;

/**
 * timestamp and date → Date, bytes → Uint8Array, vector → Float32Array, an int64 that is declared so → bigint, lists and maps of them likewise; the
 * rest stays as it is.
 */
export function converterOf(feature: Shown): Convert {
  switch (feature.type) {
    case "list":
      return convertItems(scalarConverter(feature.of, feature.as));
    case "map":
      return convertFields(scalarConverter(feature.of, feature.as));
    default:
      return orNull(scalarConverter(feature.type, feature.as));
  }
}

const converted: ReadonlySet<FeatureType | undefined> = new Set(["timestamp", "date", "bytes", "vector"]);

/** Whether a type's values are shown as they travel, so that nothing has to look at each of them. */
export function keepsWireValue({ type, of, as }: Shown): boolean {
  const scalar = type === "list" || type === "map" ? of : type;
  return !converted.has(scalar) && !(scalar === "int64" && as === "bigint");
}

function scalarConverter(type: FeatureType | undefined, as: Shown["as"]): Convert {
  switch (type) {
    case "int64":
      // Small ones travel as numbers.
      return as === "bigint" ? (value) => BigInt(value as number | bigint) : (value) => value;
    case "timestamp":
      return (value) => new Date(Number(value));
    case "date":
      return (value) => new Date(Number(value) * dayMs);
    case "bytes":
      // A copy: no Buffer, and none that keeps the whole reply in memory.
      return (value) => (value instanceof Uint8Array ? new Uint8Array(value) : value);
    case "vector":
      return (value) => (value instanceof Uint8Array ? toVector(value) : value);
    default:
      return (value) => value;
  }
}

function orNull(convert: Convert): Convert {
  return (value) => (value === null ? null : convert(value));
}

function convertItems(convert: Convert): Convert {
  const item = orNull(convert);
  return orNull((value) => (Array.isArray(value) ? value.map(item) : value));
}

function convertFields(convert: Convert): Convert {
  const field = orNull(convert);
  return orNull((value) =>
    typeof value === "object" && value !== null
      ? Object.fromEntries(Object.entries(value).map(([name, item]) => [name, field(item)]))
      : value,
  );
}

const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Copied: the bytes lie at any offset of the reply, which is not to be kept in memory either. */
function toVector(bytes: Uint8Array): Float32Array {
  if (isLittleEndian) return new Float32Array(new Uint8Array(bytes.subarray(0, bytes.length & ~3)).buffer);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float32Array.from({ length: bytes.byteLength >> 2 }, (_, i) => view.getFloat32(i * 4, true));
}
