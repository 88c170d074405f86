import type { AggregationDefinition } from "./aggregation.ts";
import { defineView } from "./define-view.ts";
import type { Duration } from "./duration.ts";
import type { EntityDefinition, KeyMap } from "./entity.ts";
import { placed } from "./place.ts";
import type { EventSourceDefinition, FieldMap } from "./source.ts";
import type { Windowed } from "./view.ts";
import type { AggregateOptions, ViewDefinition } from "./view-definition.ts";

/**
 * Event-time windows per entity, as a stream view, but the lane is left open: `tributary plan` chooses batch or stream by
 * the rules of lane-planner.ts and tells which and why. A feature is named `<feature>_<window>` in either lane.
 */
export function aggregateView<
  const K extends KeyMap,
  const S extends FieldMap,
  const A extends Readonly<Record<string, AggregationDefinition>>,
  const W extends Duration,
>(
  name: string,
  options: AggregateOptions & {
    entity: EntityDefinition<K>;
    from: EventSourceDefinition<S>;
    keys: { readonly [N in keyof K]: keyof S & string };
    windows: readonly W[];
    features: A;
  },
): ViewDefinition<K, Windowed<A, W>, "open", Windowed<A, W>> {
  return placed(defineView("open", name, options), aggregateView);
}
