import type { Lane } from "../contracts/catalog.ts";
import type { AggregationDefinition } from "./aggregation.ts";
import type { DerivedMap } from "./derived-column.ts";
import type { Duration } from "./duration.ts";
import type { EntityDefinition, KeyMap, KeysOf } from "./entity.ts";
import type { TypeDefinition } from "./feature-type.ts";
import type { Labels } from "./labels.ts";
import type { EventSourceDefinition, TableSourceDefinition } from "./source.ts";
import type { MissingSql } from "./sql-file.ts";

/**
 * A view: named features of one entity, produced together by one lane. `Row` is what a read of all its features gives,
 * `Written` what a write may. A count of a stream view is null too while nothing at all is known of the entity.
 */
export interface ViewDefinition<
  K extends KeyMap = KeyMap,
  Row = unknown,
  L extends DefinedLane = DefinedLane,
  Written = unknown,
> extends ViewUse<K, Row> {
  readonly kind: "view";
  readonly lane: L;
  readonly name: string;
  readonly entity: EntityDefinition<K>;
  readonly options: BatchOptions | StreamOptions | DirectOptions | AggregateOptions;
  /** Never set: carries the TypeScript type. */
  readonly written?: Written;
}

/** open: the planner chooses it when the definition is compiled. */
export type DefinedLane = Lane | "open";

export interface CommonOptions extends Labels {
  /** The age this view promises not to exceed. */
  readonly freshness: Duration;
  /** The age past which a read hides its values; absent = never. */
  readonly ttl?: Duration;
  /** Default 1. A higher one begins empty. */
  readonly version?: number;
  /** The store keeps this view apart from the entity's others: for a big one that few reads ask for. Default false. */
  readonly ownRecord?: boolean;
}

export type FeatureMap = Readonly<Record<string, TypeDefinition<unknown, null>>>;
export interface BatchOptions extends CommonOptions {
  /** Gives the keys and features; reads each source by its name. */
  readonly sql: string | MissingSql;
  readonly from: readonly TableSourceDefinition[];
  readonly every: Duration;
  readonly features: FeatureMap;
  /** Share of published rows a run may delete; default 0.5. */
  readonly deleteShareMax?: number;
}

export interface StreamOptions extends CommonOptions {
  readonly from: EventSourceDefinition;
  /** Join key → field of the source, or derived column. */
  readonly keys: Readonly<Record<string, string>>;
  /** Columns made of the source's fields and of the columns before them: `derived(float64(), "delay / 60.0")`. */
  readonly derive?: DerivedMap;
  /** CEL over the source's fields and derived columns. */
  readonly where?: string;
  readonly windows: readonly Duration[];
  readonly hop: Duration;
  readonly features: Readonly<Record<string, AggregationDefinition>>;
}

export interface DirectOptions extends CommonOptions {
  readonly producers: readonly string[];
  readonly features: FeatureMap;
}

export interface AggregateOptions extends CommonOptions {
  readonly from: EventSourceDefinition;
  /** The same events as a table, by the same field names; without it only the stream lane can compute the view. */
  readonly history?: TableSourceDefinition;
  /** Join key → field of the source. */
  readonly keys: Readonly<Record<string, string>>;
  /** CEL over the source's fields. */
  readonly where?: string;
  readonly windows: readonly Duration[];
  /** Default: the largest of a second to a day that divides every window and is at most a twelfth of the shortest. */
  readonly hop?: Duration;
  readonly features: Readonly<Record<string, AggregationDefinition>>;
  /** In the batch lane: share of published rows that a run may delete. Default 1: an entity leaves with its last event. */
  readonly deleteShareMax?: number;
}

/**
 * How a feature service uses a view: which features, under which names, keyed by which request keys, with which views above.
 * Each step gives a new use, and a name in a step is the name after the steps before it. The types follow, so that a
 * read's row is known to the compiler; `Whole` stays the row of all the view's features.
 */
export interface ViewUse<K extends KeyMap = KeyMap, Row = unknown, Request = KeysOf<K>, Whole = Row> {
  readonly use: UseState;
  /** Join key → request key, where they differ in name. */
  on<const M extends { readonly [N in keyof K]: string }>(keys: M): ViewUse<K, Row, RequestOf<K, M>, Whole>;
  /** Some of the features. */
  pick<const N extends keyof Row & string>(...features: N[]): ViewUse<K, Pick<Row, N>, Request, Whole>;
  /** Every feature's name behind this text. */
  prefix<const P extends string>(prefix: P): ViewUse<K, Prefixed<Row, P>, Request, Whole>;
  /** Feature → its name in the feature service. */
  rename<const M extends { readonly [N in keyof Row & string]?: string }>(
    names: M & NoStrangers<Row, M> & NoCollision<Row, M>,
  ): ViewUse<K, Renamed<Row, M>, Request, Whole>;
  /**
   * Puts a direct view of the same entity over this one (L1): its features of the same name and type stand for this view's
   * while they live. The view given last is uppermost. Defaults stay those of this view.
   */
  overriddenBy<Upper>(
    upper: ViewDefinition<K, Upper, "direct"> & Matching<Whole, Upper>,
  ): ViewUse<K, Row, Request, Whole>;
  /** Never set: carries the TypeScript types. */
  readonly phantom?: { readonly row: Row; readonly request: Request };
}

type RequestOf<K extends KeyMap, M extends Readonly<Record<keyof K, string>>> = {
  readonly [N in keyof M as M[N] & string]: N extends keyof K ? KeysOf<K>[N] : never;
};
type Prefixed<Row, P extends string> = { [N in keyof Row & string as `${P}${N}`]: Row[N] };

type Renamed<Row, M> = { [N in keyof Row as N extends keyof M ? M[N] & string : N]: Row[N] };
type NoStrangers<Row, M> = { readonly [N in Exclude<keyof M, keyof Row>]: never };
/** New names that a feature left alone, or another renamed one, has too. */
type Collisions<Row, M> =
  | (M[keyof M] & Exclude<keyof Row, keyof M>)
  | { [N in keyof M]: M[N] & M[Exclude<keyof M, N>] }[keyof M];
type NoCollision<Row, M> = [Collisions<Row, M>] extends [never]
  ? unknown
  : { readonly "two features would have the same name": Collisions<Row, M> };

type Matching<Whole, Upper> = [keyof Whole & keyof Upper] extends [never]
  ? { readonly "the views have no feature of the same name": never }
  : [Mismatches<Whole, Upper>] extends [never]
    ? unknown
    : { readonly "features of the same name differ in type": Mismatches<Whole, Upper> };
type Mismatches<Whole, Upper> = {
  [N in keyof Whole & keyof Upper]: IsSame<NonNullable<Whole[N]>, NonNullable<Upper[N]>> extends true ? never : N;
}[keyof Whole & keyof Upper];
type IsSame<A, B> = [A, B] extends [B, A] ? true : false;

export interface UseState {
  readonly view: () => ViewDefinition;
  readonly keys: Readonly<Record<string, string>> | undefined;
  /** In the order they were said. */
  readonly naming: readonly NamingStep[];
  /** Direct views over this one, uppermost first. */
  readonly over: readonly ViewDefinition[];
}

export type NamingStep =
  | { readonly kind: "pick"; readonly names: readonly string[] }
  | { readonly kind: "prefix"; readonly prefix: string }
  | { readonly kind: "rename"; readonly names: Readonly<Record<string, string>> };
