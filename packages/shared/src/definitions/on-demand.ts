import type { MayBeAbsent, TypeDefinition, ValueOf, WrittenValueOf } from "./feature-type.ts";
import type { Labels } from "./labels.ts";
import { placed } from "./place.ts";

export type InputMap = Readonly<Record<string, TypeDefinition<unknown, null>>>;

/** A feature that CEL computes of its inputs when it is read; its definition is also the plainest use of it. */
export interface OnDemandDefinition<Name extends string = string, Inputs extends InputMap = InputMap, Value = unknown>
  extends OnDemandUse<Name, Inputs, Value>,
    Labels {
  readonly kind: "onDemandFeature";
  readonly name: Name;
  readonly inputs: Inputs;
  readonly type: TypeDefinition<unknown, null>;
  readonly cel: string;
}

/**
 * How a feature service uses an on-demand feature: which inputs take columns, and what it is called. The inputs that are
 * left are fields that the request brings, under their own names.
 */
export interface OnDemandUse<
  Name extends string = string,
  Inputs extends InputMap = InputMap,
  Value = unknown,
  // biome-ignore lint/complexity/noBannedTypes: no input is mapped yet
  Columns = {},
> {
  readonly onDemand: OnDemandState;
  /** Input → column of the feature service: a stored feature by its name there, or another on-demand feature. */
  from<const M extends { readonly [N in keyof Inputs]?: string }>(
    columns: M & { readonly [N in Exclude<keyof M, keyof Inputs>]: never },
  ): OnDemandUse<Name, Inputs, Value, M>;
  /** Its name in the feature service. */
  as<const N extends string>(name: N): OnDemandUse<N, Inputs, Value, Columns>;
  /** Never set: carries the TypeScript types. */
  readonly phantom?: {
    readonly row: { [N in Name]: Value | null };
    readonly request: RequestOf<Omit<Inputs, keyof Columns>>;
    readonly needs: { [N in keyof Columns & keyof Inputs]: readonly [Columns[N], ValueOf<Inputs[N]>] };
  };
}

// biome-ignore lint/suspicious/noExplicitAny: a use of any on-demand feature, whatever its types
export type AnyOnDemandUse = OnDemandUse<any, any, any, any>;

/** Fields that may be absent are optional. */
type RequestOf<I> = {
  readonly [N in keyof I as I[N] extends MayBeAbsent ? never : N]: GivenAs<WrittenValueOf<I[N]>>;
} & { readonly [N in keyof I as I[N] extends MayBeAbsent ? N : never]?: GivenAs<WrittenValueOf<I[N]>> | null };
type GivenAs<T> = T extends null ? never : T extends Date ? Date | number | string : T;

export interface OnDemandState {
  readonly definition: () => OnDemandDefinition;
  readonly columns: Readonly<Record<string, string>>;
  readonly name: string;
}

/**
 * A value that CEL computes of typed inputs whenever it is read: `delay == null ? 0.0 : delay * 0.01`. Numbers are doubles in
 * CEL, an input that is null is `null`. It is null where the expression cannot be evaluated. In batch SQL it is a function of
 * its inputs in declared order.
 */
export function onDemandFeature<const Name extends string, const Inputs extends InputMap, Value>(
  name: Name,
  options: { inputs: Inputs; type: TypeDefinition<Value, null>; cel: string } & Labels,
): OnDemandDefinition<Name, Inputs, Value> {
  const feature = { ...options, kind: "onDemandFeature" as const, name };
  const state: OnDemandState = {
    definition: () => feature as unknown as OnDemandDefinition,
    columns: {},
    name,
  };
  return placed(Object.assign(feature, useOf<Name, Inputs, Value>(state)), onDemandFeature);
}

// biome-ignore lint/complexity/noBannedTypes: no input is mapped yet
function useOf<N extends string, I extends InputMap, V, C = {}>(state: OnDemandState): OnDemandUse<N, I, V, C> {
  return {
    onDemand: state,
    from: (columns) => useOf({ ...state, columns: columns as Readonly<Record<string, string>> }),
    as: (name) => useOf({ ...state, name }),
  };
}
