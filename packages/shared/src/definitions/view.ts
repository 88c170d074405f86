import type { AggregationDefinition } from "./aggregation.ts";
import type { Duration } from "./duration.ts";
import type { EntityDefinition, KeyMap } from "./entity.ts";
import type { ReadValueOf, TypeDefinition } from "./feature-type.ts";
import type { EventSourceDefinition, FieldMap, TableSourceDefinition } from "./source.ts";
import { type ViewUse, viewUse } from "./view-use.ts";

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
type RowOf<F extends FeatureMap> = { [N in keyof F]: ReadValueOf<F[N]> };

export interface BatchOptions extends CommonOptions {
  readonly sql: string;
  readonly from: readonly TableSourceDefinition[];
  readonly every: Duration;
  readonly features: FeatureMap;
  /** Share of published rows a run may delete; default 0.5. */
  readonly deleteShareMax?: number;
}

/** Features by SQL over table sources; the SQL sees each source by its name, and `interval_start()`, `interval_end()`. */
export function batchView<const K extends KeyMap, const F extends FeatureMap>(
  name: string,
  options: BatchOptions & { entity: EntityDefinition<K>; features: F },
): ViewDefinition<K, RowOf<F>> {
  return define("batch", name, options);
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

type Windowed<A, W extends string> = {
  [N in keyof A & string as `${N}_${W}`]: (A[N] extends AggregationDefinition<infer T> ? T : never) | null;
};

/** Event-time windows per entity. A feature is named `<feature>_<window>`. */
export function streamView<
  const K extends KeyMap,
  const S extends FieldMap,
  const A extends Readonly<Record<string, AggregationDefinition>>,
  const W extends Duration,
>(
  name: string,
  options: StreamOptions & {
    entity: EntityDefinition<K>;
    from: EventSourceDefinition<S>;
    keys: { readonly [N in keyof K]: keyof S & string };
    windows: readonly W[];
    features: A;
  },
): ViewDefinition<K, Windowed<A, W>> {
  return define("stream", name, options);
}

export interface DirectOptions extends CommonOptions {
  readonly producers: readonly string[];
  readonly features: FeatureMap;
}

/** Values that another system computed and writes through the gateway. */
export function directView<const K extends KeyMap, const F extends FeatureMap>(
  name: string,
  options: DirectOptions & { entity: EntityDefinition<K>; features: F },
): ViewDefinition<K, RowOf<F>> {
  return define("direct", name, options);
}

function define<K extends KeyMap, Row>(
  lane: ViewDefinition["lane"],
  name: string,
  options: (BatchOptions | StreamOptions | DirectOptions) & { entity: EntityDefinition<K> },
): ViewDefinition<K, Row> {
  const view = { kind: "view" as const, lane, name, entity: options.entity, options };
  return Object.assign(
    view,
    viewUse<K, Row>(() => view as unknown as ViewDefinition<K, Row>),
  );
}
