import type { AggregationDefinition } from "./aggregation.ts";
import type { Duration } from "./duration.ts";
import type { EntityDefinition, KeyMap, KeysOf } from "./entity.ts";
import type { TypeDefinition } from "./feature-type.ts";
import type { EventSourceDefinition, TableSourceDefinition } from "./source.ts";

/**
 * A view: named features of one entity, produced together by one lane. `Row` is what a read of all its features gives.
 * A count of a stream view is null too while nothing at all is known of the entity.
 */
export interface ViewDefinition<K extends KeyMap = KeyMap, Row = unknown> extends ViewUse<K, Row> {
  readonly kind: "view";
  readonly lane: "batch" | "stream" | "direct";
  readonly name: string;
  readonly entity: EntityDefinition<K>;
  readonly options: BatchOptions | StreamOptions | DirectOptions;
}

interface CommonOptions {
  readonly freshness: Duration;
  readonly ttl?: Duration;
  readonly version?: number;
  readonly description?: string;
  readonly owner?: string;
}

export type FeatureMap = Readonly<Record<string, TypeDefinition<unknown, null>>>;
export interface BatchOptions extends CommonOptions {
  readonly sql: string;
  readonly from: readonly TableSourceDefinition[];
  readonly every: Duration;
  readonly features: FeatureMap;
  /** Share of published rows a run may delete; default 0.5. */
  readonly deleteShareMax?: number;
}

export interface StreamOptions extends CommonOptions {
  readonly from: EventSourceDefinition;
  /** Join key → field of the source. */
  readonly keys: Readonly<Record<string, string>>;
  /** CEL over the source's fields. */
  readonly where?: string;
  readonly windows: readonly Duration[];
  readonly hop: Duration;
  readonly features: Readonly<Record<string, AggregationDefinition>>;
}

export interface DirectOptions extends CommonOptions {
  readonly producers: readonly string[];
  readonly features: FeatureMap;
}

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
