import type { TypeDefinition } from "./feature-type.ts";
import type { Labels } from "./labels.ts";
import { placed } from "./place.ts";

type KeyDefinition =
  | { readonly kind: "type"; readonly type: "uuid" }
  | TypeDefinition<string, null, "string">
  | TypeDefinition<number | bigint, null, "int64">;
type KeyValue<D> = D extends TypeDefinition<infer T, null> ? T : string;
export type KeyMap = Readonly<Record<string, KeyDefinition>>;

/** The join keys of an entity as a read or write names them. */
export type KeysOf<K extends KeyMap> = { readonly [N in keyof K]: KeyValue<K[N]> };

export interface EntityDefinition<K extends KeyMap = KeyMap> extends Labels {
  readonly kind: "entity";
  readonly name: string;
  readonly key: K;
}

/** A thing that features describe. Keys are string, int64 or uuid, in the order given here. */
export function entity<const K extends KeyMap>(name: string, options: { key: K } & Labels): EntityDefinition<K> {
  return placed({ ...options, kind: "entity", name }, entity);
}
