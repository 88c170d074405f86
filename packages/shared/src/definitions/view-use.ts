import type { KeyMap, KeysOf } from "./entity.ts";
import type { ViewDefinition } from "./view.ts";

/**
 * How a feature service uses a view: which features, under which prefix, keyed by which request keys.
 * Each step gives a new use; the types follow, so that a read's row is known to the compiler.
 */
export interface ViewUse<K extends KeyMap = KeyMap, Row = unknown, Request = KeysOf<K>> {
  readonly use: UseState;
  /** Join key → request key, where they differ in name. */
  on<const M extends { readonly [N in keyof K]: string }>(keys: M): ViewUse<K, Row, RequestOf<K, M>>;
  /** Some of the features. */
  pick<const N extends keyof Row & string>(...features: N[]): ViewUse<K, Pick<Row, N>, Request>;
  /** Every feature's name behind this text. */
  prefix<const P extends string>(prefix: P): ViewUse<K, Prefixed<Row, P>, Request>;
  /** Never set: carries the TypeScript types. */
  readonly phantom?: { readonly row: Row; readonly request: Request };
}

type RequestOf<K extends KeyMap, M extends Readonly<Record<keyof K, string>>> = {
  readonly [N in keyof M as M[N] & string]: N extends keyof K ? KeysOf<K>[N] : never;
};
type Prefixed<Row, P extends string> = { [N in keyof Row & string as `${P}${N}`]: Row[N] };

export interface UseState {
  readonly view: () => ViewDefinition;
  readonly keys: Readonly<Record<string, string>> | undefined;
  /** Feature names of the view; undefined = all. */
  readonly features: readonly string[] | undefined;
  readonly prefix: string;
}

export function viewUse<K extends KeyMap, Row>(view: () => ViewDefinition<K, Row>): ViewUse<K, Row> {
  return useOf({ view: view as () => ViewDefinition, keys: undefined, features: undefined, prefix: "" });
}

function useOf<K extends KeyMap, Row, Request>(state: UseState): ViewUse<K, Row, Request> {
  return {
    use: state,
    on: (keys) => useOf({ ...state, keys }),
    pick: (...features) => useOf({ ...state, features: features.map((feature) => feature.slice(state.prefix.length)) }),
    prefix: (prefix) => useOf({ ...state, prefix: prefix + state.prefix }),
  };
}
