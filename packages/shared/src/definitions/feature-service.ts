import type { KeyMap } from "./entity.ts";
import { placed } from "./place.ts";
import type { ViewUse } from "./view-definition.ts";

// biome-ignore lint/suspicious/noExplicitAny: a use of any view, whatever its types
export type AnyUse = ViewUse<any, any, any>;

/** A named list of features read together. `Row` is one entity's features, `Keys` what a read asks with. */
export interface FeatureServiceDefinition<Row = unknown, Keys = unknown> {
  readonly kind: "featureService";
  readonly name: string;
  readonly uses: readonly { readonly use: ViewUse<KeyMap>["use"] }[];
  readonly phantom?: { readonly row: Row; readonly keys: Keys };
}

type RowOfUse<U> = U extends { readonly phantom?: { readonly row: infer Row } } ? Row : never;
type RequestOfUse<U> = U extends { readonly phantom?: { readonly request: infer Request } } ? Request : never;
type Intersect<U> = (U extends unknown ? (use: U) => void : never) extends (use: infer I) => void ? I : never;
type Flat<T> = { [N in keyof T]: T[N] };

/** Distributes over a union of uses, so that names of any of them count. */
type NamesOf<U> = U extends unknown ? keyof RowOfUse<U> : never;

/** Feature names that two uses share: a feature service with any does not compile. */
type Collisions<U extends readonly unknown[]> = U extends readonly [infer First, ...infer Rest]
  ? (NamesOf<First> & NamesOf<Rest[number]>) | Collisions<Rest>
  : never;

export type RowOfService<S> = S extends FeatureServiceDefinition<infer Row, unknown> ? Row : never;
export type KeysOfService<S> = S extends FeatureServiceDefinition<unknown, infer Keys> ? Keys : never;

/** Features of several views, read together by one set of request keys. */
export function featureService<const U extends readonly AnyUse[]>(
  name: string,
  uses: readonly [...U] &
    ([Collisions<U>] extends [never]
      ? unknown
      : { readonly "two uses have a feature of the same name": Collisions<U> }),
): FeatureServiceDefinition<Flat<Intersect<RowOfUse<U[number]>>>, Flat<Intersect<RequestOfUse<U[number]>>>> {
  return placed({ kind: "featureService", name, uses }, featureService);
}
