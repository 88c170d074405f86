import type { AggregationDefinition } from "./aggregation.ts";
import { defineView } from "./define-view.ts";
import type { DerivedDefinition } from "./derived-column.ts";
import type { Duration } from "./duration.ts";
import type { EntityDefinition, KeyMap } from "./entity.ts";
import type { ReadValueOf, WrittenValueOf } from "./feature-type.ts";
import { placed } from "./place.ts";
import type { EventSourceDefinition, FieldMap } from "./source.ts";
import type { BatchOptions, DirectOptions, FeatureMap, StreamOptions, ViewDefinition } from "./view-definition.ts";

type RowOf<F extends FeatureMap> = { [N in keyof F]: ReadValueOf<F[N]> };
type WrittenOf<F extends FeatureMap> = { [N in keyof F]: WrittenValueOf<F[N]> };

/** Features by SQL over table sources; the SQL sees each source by its name, and `interval_start()`, `interval_end()`. */
export function batchView<const K extends KeyMap, const F extends FeatureMap>(
  name: string,
  options: BatchOptions & { entity: EntityDefinition<K>; features: F },
): ViewDefinition<K, RowOf<F>, "batch", WrittenOf<F>> {
  return placed(defineView("batch", name, options), batchView);
}

/** A row of windowed features: `<feature>_<window>`. */
export type Windowed<A, W extends string> = {
  [N in keyof A & string as `${N}_${W}`]: (A[N] extends AggregationDefinition<infer T> ? T : never) | null;
};

/** Event-time windows per entity. A feature is named `<feature>_<window>`. */
export function streamView<
  const K extends KeyMap,
  const S extends FieldMap,
  const A extends Readonly<Record<string, AggregationDefinition>>,
  const W extends Duration,
  const D extends Readonly<Record<string, DerivedDefinition>> = Record<never, DerivedDefinition>,
>(
  name: string,
  options: StreamOptions & {
    entity: EntityDefinition<K>;
    from: EventSourceDefinition<S>;
    derive?: D & { readonly [N in keyof D & keyof S]: never };
    keys: { readonly [N in keyof K]: (keyof S | keyof D) & string };
    windows: readonly W[];
    features: A;
  },
): ViewDefinition<K, Windowed<A, W>, "stream", Windowed<A, W>> {
  return placed(defineView("stream", name, options), streamView);
}

/** Values that another system computed and writes through the gateway. */
export function directView<const K extends KeyMap, const F extends FeatureMap>(
  name: string,
  options: DirectOptions & { entity: EntityDefinition<K>; features: F },
): ViewDefinition<K, RowOf<F>, "direct", WrittenOf<F>> {
  return placed(defineView("direct", name, options), directView);
}
