import type { Entity } from "@tributary/shared/contracts/catalog";
import type { KeyType } from "@tributary/shared/contracts/feature";
import { limits } from "@tributary/shared/contracts/limits";
import type { Refusal } from "./column-checks.ts";

/**
 * Entity key and partition in SQL, equal to `contracts/entity-key.ts`: FNV-1a-32 over the UTF-8 bytes, then MurmurHash3's
 * finaliser, in UBIGINT with masks so that products never overflow.
 */
const mask = "4294967295::UBIGINT";
const bytesOf = "list_transform(regexp_extract_all(hex(encode(k)), '..'), lambda b: ('0x' || b)::UBIGINT)";

export const keyMacros: readonly string[] = [
  `CREATE OR REPLACE MACRO trib_fnv1a(k) AS list_reduce(list_prepend(2166136261::UBIGINT, ${bytesOf}),
    lambda h, b: (xor(h, b) * 16777619::UBIGINT) & ${mask})`,
  `CREATE OR REPLACE MACRO trib_mix1(h) AS (xor(h, h >> 16) * 2246822507::UBIGINT) & ${mask}`,
  `CREATE OR REPLACE MACRO trib_mix2(h) AS (xor(h, h >> 13) * 3266489909::UBIGINT) & ${mask}`,
  `CREATE OR REPLACE MACRO trib_mix3(h) AS xor(h, h >> 16)`,
  `CREATE OR REPLACE MACRO trib_partition(k, p) AS
    (trib_mix3(trib_mix2(trib_mix1(trib_fnv1a(k)))) % p::UBIGINT)::INTEGER`,
];

const uuidPattern = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
const int64Pattern = "0|-?[1-9][0-9]{0,18}";

/** The columns of an entity's join keys by name, with the engine's type of each. */
export type KeyColumns = (name: string) => { readonly column: string; readonly type: string };

/** The entity key; meaningless where one of `keyRefusals` holds. */
export function keyExpression(entity: Entity, columns: KeyColumns): string {
  return entity.keys.map((key) => keyPart(key.type, columns(key.name))).join(" || chr(31) || ");
}

/** Why a row has no usable key. */
export function keyRefusals(entity: Entity, columns: KeyColumns): readonly Refusal[] {
  const parts = entity.keys.flatMap((key) => {
    const part = keyPart(key.type, columns(key.name));
    return [
      { when: `${part} IS NULL`, why: `join key "${key.name}" is missing or not ${key.type}` },
      { when: `${part} = ''`, why: `join key "${key.name}" is empty` },
      {
        when: `regexp_matches(${part}, '[\\x00-\\x1f\\x7f]')`,
        why: `join key "${key.name}" holds a control character`,
      },
    ];
  });
  const tooLong = `strlen(${keyExpression(entity, columns)}) > ${limits.keyBytesMax}`;
  return [...parts, { when: tooLong, why: `the key is longer than ${limits.keyBytesMax} bytes` }];
}

function keyPart(type: KeyType, { column, type: actual }: ReturnType<KeyColumns>): string {
  switch (type) {
    case "string":
      return `${column}::VARCHAR`;
    case "int64":
      return actual === "VARCHAR"
        ? matching(column, int64Pattern)
        : `CASE WHEN try_cast(${column} AS DOUBLE) = try_cast(${column} AS BIGINT)::DOUBLE THEN try_cast(${column} AS BIGINT)::VARCHAR END`;
    case "uuid":
      return matching(`lower(${column}::VARCHAR)`, uuidPattern);
    default:
      return type satisfies never;
  }
}

function matching(text: string, pattern: string): string {
  return `CASE WHEN regexp_full_match(${text}, '${pattern}') THEN ${text} END`;
}
