import type { Entity } from "./catalog.ts";
import { TributaryError } from "./errors.ts";
import type { KeyType } from "./feature.ts";
import { limits } from "./limits.ts";

/**
 * Entity key and partition: the one rule that subjects, Redis slots, ownership and lake files share.
 *
 * Key = the join keys' values in declared order as text, joined by U+001F.
 * Partition = fmix32(FNV-1a-32(UTF-8 of the key)) mod P. Without the final mix regular keys fill half the partitions.
 * Sources: FNV-1a 32 bit (offset basis 0x811c9dc5, prime 0x01000193); fmix32 is MurmurHash3's finaliser.
 */
export const keySeparator = "\u001f";

const encoder = new TextEncoder();
const scratch = new Uint8Array(limits.keyBytesMax * 3);
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const controlCharacters = /[\u0000-\u001f\u007f]/;
const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const int64Pattern = /^(0|-?[1-9][0-9]{0,18})$/;

/** The partition of an entity key: an integer in [0, partitions). */
export function partitionOf(key: string, partitions: number): number {
  return fmix32(fnv1a(key)) % partitions;
}

const fnvBasis = 0x811c9dc5;
const fnvPrime = 0x01000193;

/** Of ASCII, which most keys are, the characters are the bytes. */
function fnv1a(key: string): number {
  let hash = fnvBasis;
  for (let i = 0; i < key.length; i++) {
    const code = key.charCodeAt(i);
    if (code > 0x7f) return fnv1aOfUtf8(key);
    hash = Math.imul(hash ^ code, fnvPrime);
  }
  return hash;
}

function fnv1aOfUtf8(key: string): number {
  const { written } = encoder.encodeInto(key, scratch);
  let hash = fnvBasis;
  for (let i = 0; i < written; i++) hash = Math.imul(hash ^ (scratch[i] as number), fnvPrime);
  return hash;
}

function fmix32(hash: number): number {
  let mixed = hash ^ (hash >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

const tokens = Array.from({ length: 256 }, (_, partition) => tokenText(partition));

/** `p00` … `p31`: the subject token and the Redis hash tag. */
export function partitionToken(partition: number): string {
  return tokens[partition] ?? tokenText(partition);
}

function tokenText(partition: number): string {
  return `p${String(partition).padStart(2, "0")}`;
}

/**
 * Canonical key of an entity from named join key values.
 * @throws TributaryError MISSING_KEY, UNKNOWN_KEY, BAD_KEY
 */
export function encodeEntityKey(entity: Entity, values: Readonly<Record<string, unknown>>): string {
  for (const name of Object.keys(values)) {
    if (!entity.keys.some((key) => key.name === name)) {
      throw new TributaryError(
        "UNKNOWN_KEY",
        `"${name}" is not a join key of entity "${entity.name}" (${keyNames(entity)})`,
      );
    }
  }
  return joinKeyParts(entity, (place) => values[entity.keys[place]?.name ?? ""]);
}

/**
 * The same of values that are told apart by their place among the declared join keys.
 * @throws TributaryError MISSING_KEY, BAD_KEY
 */
export function joinKeyParts(entity: Entity, valueAt: (place: number) => unknown): string {
  const { keys } = entity;
  let joined = encodeKeyPart(entity, 0, valueAt(0));
  for (let place = 1; place < keys.length; place++)
    joined += keySeparator + encodeKeyPart(entity, place, valueAt(place));
  // A character is at most three bytes.
  if (joined.length * 3 > limits.keyBytesMax && encoder.encode(joined).length > limits.keyBytesMax) {
    throw new TributaryError(
      "BAD_KEY",
      `the key of entity "${entity.name}" is longer than ${limits.keyBytesMax} bytes`,
    );
  }
  return joined;
}

function encodeKeyPart(entity: Entity, place: number, value: unknown): string {
  const key = entity.keys[place] as Entity["keys"][number];
  if (value === undefined || value === null) {
    throw new TributaryError("MISSING_KEY", `join key "${key.name}" of entity "${entity.name}" is missing`);
  }
  const text = keyText(value, key.type);
  const problem = text === undefined ? `must be ${key.type}, got ${typeof value}` : problemOf(text);
  if (text === undefined || problem !== undefined)
    throw new TributaryError("BAD_KEY", `join key ${entity.name}.${key.name} ${problem}`);
  return text;
}

function problemOf(text: string): string | undefined {
  if (text === "") return "is empty";
  if (controlCharacters.test(text)) return "holds a control character";
  return text.isWellFormed() ? undefined : "is not well-formed Unicode";
}

/** Undefined of a value that is not of the type. */
function keyText(value: unknown, keyType: KeyType): string | undefined {
  switch (keyType) {
    case "string":
      if (typeof value === "string") return value;
      break;
    case "int64":
      if (typeof value === "bigint" || (typeof value === "number" && Number.isSafeInteger(value))) return String(value);
      if (typeof value === "string" && int64Pattern.test(value)) return value;
      break;
    case "uuid":
      if (typeof value === "string" && uuidPattern.test(value.toLowerCase())) return value.toLowerCase();
      break;
    default: {
      keyType satisfies never;
    }
  }
  return undefined;
}

function keyNames(entity: Entity): string {
  return entity.keys.map((key) => key.name).join(", ");
}
