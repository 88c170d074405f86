import type { KeyType } from "../contracts/feature.ts";
import type { TypeDefinition } from "./feature-type.ts";
import { placed } from "./place.ts";

type KeyDefinition = { readonly kind: "type"; readonly type: KeyType } | TypeDefinition<string | number, null>;
type KeyValue<D> = D extends TypeDefinition<infer T, null> ? T : string;
export type KeyMap = Readonly<Record<string, KeyDefinition>>;

/** The join keys of an entity as a read or write names them. */
export type KeysOf<K extends KeyMap> = { readonly [N in keyof K]: KeyValue<K[N]> };

export interface EntityDefinition<K extends KeyMap = KeyMap> {
  readonly kind: "entity";
  readonly name: string;
  readonly key: K;
  readonly description?: string;
}

/** A thing that features describe. Keys are string, int64 or uuid, in the order given here. */
export function entity<const K extends KeyMap>(
  name: string,
  options: { key: K; description?: string },
): EntityDefinition<K> {
  return placed({ kind: "entity", name, ...options }, entity);
}
