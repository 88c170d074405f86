import type { AggregationDefinition } from "./aggregation.ts";
import { defineView } from "./define-view.ts";
import type { Duration } from "./duration.ts";
import type { EntityDefinition, KeyMap } from "./entity.ts";
import { placed } from "./place.ts";
import type { EventSourceDefinition, FieldMap, TableSourceDefinition } from "./source.ts";
import type { Windowed } from "./view.ts";
import type { CommonOptions, ViewDefinition } from "./view-definition.ts";

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
