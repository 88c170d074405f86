import type { FeatureValue } from "@tributary/shared/contracts/chunk";
import { TributaryError } from "@tributary/shared/contracts/errors";

/** What an application may give where a definition says `T`. */
export type InputOf<T> = T extends Date
  ? Date | number | string
  : T extends Float32Array
    ? Float32Array | readonly number[]
    : T;

/**
 * A JavaScript value as it travels: dates as epoch ms, vectors as little-endian float32 bytes.
 * @throws TributaryError BAD_VALUE for what has no form on the wire, naming `where`
 */
export function toWireValue(value: unknown, where: string): FeatureValue {
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "bigint") return value;
  if (value instanceof Uint8Array) return value;
  if (value instanceof Date) return toEpochMs(value, where);
  if (value instanceof Float32Array) return toLittleEndian(value);
  if (Array.isArray(value)) return value.map((item) => toWireValue(item, where));
  if (typeof value === "object" && isPlain(value)) return toWireRecord(value, where);
  throw new TributaryError("BAD_VALUE", `${where}: a ${typeof value} cannot be sent`);
}

/** Every field of an object; fields that are undefined are left out. */
export function toWireRecord(record: object, where: string): { [name: string]: FeatureValue } {
  const given = Object.entries(record).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given.map(([name, value]) => [name, toWireValue(value, `${where}.${name}`)]));
}

function toEpochMs(date: Date, where: string): number {
  const ms = date.getTime();
  if (Number.isNaN(ms)) throw new TributaryError("BAD_VALUE", `${where}: an invalid Date`);
  return ms;
}

function toLittleEndian(vector: Float32Array): Uint8Array {
  const bytes = new Uint8Array(vector.length * 4);
  const view = new DataView(bytes.buffer);
  vector.forEach((item, i) => {
    view.setFloat32(i * 4, item, true);
  });
  return bytes;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
