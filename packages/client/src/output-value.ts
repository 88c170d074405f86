import type { FeatureValue } from "@tributary/shared/contracts/chunk";
import type { Feature, FeatureType } from "@tributary/shared/contracts/feature";

const dayMs = 86_400_000;

/** From the wire to JavaScript: decided once a column, applied to each value. */
export type Convert = (value: FeatureValue) => unknown;

/** timestamp and date → Date, vector → Float32Array, lists and maps of them likewise; the rest stays as it is. */
export function converterOf(feature: Pick<Feature, "type" | "of">): Convert {
  switch (feature.type) {
    case "list":
      return convertItems(scalarConverter(feature.of));
    case "map":
      return convertFields(scalarConverter(feature.of));
    default:
      return orNull(scalarConverter(feature.type));
  }
}

function scalarConverter(type: FeatureType | undefined): Convert {
  switch (type) {
    case "timestamp":
      return (value) => new Date(Number(value));
    case "date":
      return (value) => new Date(Number(value) * dayMs);
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

/** Copied: the bytes lie at any offset of the reply, and the platform may not be little-endian. */
function toVector(bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float32Array.from({ length: bytes.byteLength >> 2 }, (_, i) => view.getFloat32(i * 4, true));
}
