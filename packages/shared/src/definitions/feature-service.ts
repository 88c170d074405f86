import type { KeyMap } from "./entity.ts";
import type { Labels } from "./labels.ts";
import type { AnyOnDemandUse, OnDemandUse } from "./on-demand.ts";
import { placed } from "./place.ts";
import type { ViewUse } from "./view-definition.ts";

// biome-ignore lint/suspicious/noExplicitAny: a use of any view, whatever its types
export type AnyUse = ViewUse<any, any, any>;

/** A named list of features read together. `Row` is one entity's features, `Keys` what a read asks with. */
export interface FeatureServiceDefinition<Row = unknown, Keys = unknown> extends Labels {
  readonly kind: "featureService";
  readonly name: string;
  readonly uses: readonly (Pick<ViewUse<KeyMap>, "use"> | Pick<OnDemandUse, "onDemand">)[];
  readonly phantom?: { readonly row: Row; readonly keys: Keys };
}

type RowOfUse<U> = U extends { readonly phantom?: { readonly row: infer Row } } ? Row : never;
type RequestOfUse<U> = U extends { readonly phantom?: { readonly request: infer Request } } ? Request : never;
type Intersect<U> = (U extends unknown ? (use: U) => void : never) extends (use: infer I) => void ? I : never;
type Flat<T> = { [N in keyof T]: T[N] };
type RowOf<U extends readonly unknown[]> = Flat<Intersect<RowOfUse<U[number]>>>;

/** Distributes over a union of uses, so that names of any of them count. */
type NamesOf<U> = U extends unknown ? keyof RowOfUse<U> : never;

/** Feature names that two uses share: a feature service with any does not compile. */
type Collisions<U extends readonly unknown[]> = U extends readonly [infer First, ...infer Rest]
  ? (NamesOf<First> & NamesOf<Rest[number]>) | Collisions<Rest>
  : never;
type NoCollision<U extends readonly unknown[]> = [Collisions<U>] extends [never]
  ? unknown
  : { readonly "two uses have a feature of the same name": Collisions<U> };

/** Inputs whose column is not there or holds another type, of all on-demand features. */
type Misfits<U, Row> = U extends { readonly phantom?: { readonly needs: infer Needs } }
  ? {
      [N in keyof Needs]: Needs[N] extends readonly [infer C, infer V] ? (Fits<Row, C, V> extends true ? never : N) : N;
    }[keyof Needs]
  : never;
type Fits<Row, Column, Value> = Column extends keyof Row
  ? [NonNullable<Row[Column]>, Value] extends [Value, NonNullable<Row[Column]>]
    ? true
    : false
  : false;
type NoMisfit<U extends readonly unknown[]> = [Misfits<U[number], RowOf<U>>] extends [never]
  ? unknown
  : { readonly "these inputs take no column, or one of another type": Misfits<U[number], RowOf<U>> };

export type RowOfService<S> = S extends FeatureServiceDefinition<infer Row, unknown> ? Row : never;
export type KeysOfService<S> = S extends FeatureServiceDefinition<unknown, infer Keys> ? Keys : never;

/**
 * Features of several views, and features computed of them when they are read, read together by one set of request keys and
 * request fields.
 */
export function featureService<const U extends readonly (AnyUse | AnyOnDemandUse)[]>(
  name: string,
  uses: readonly [...U] & NoCollision<U> & NoMisfit<U>,
  labels: Labels = {},
): FeatureServiceDefinition<RowOf<U>, Flat<Intersect<RequestOfUse<U[number]>>>> {
  return placed({ ...labels, kind: "featureService", name, uses }, featureService);
}
