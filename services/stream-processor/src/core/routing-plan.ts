import type { Catalog, Entity, StreamView } from "@tributary/shared/contracts/catalog";
import { encodeEntityKey, partitionOf } from "@tributary/shared/contracts/entity-key";
import { TributaryError } from "@tributary/shared/contracts/errors";
import type { EventSource } from "@tributary/shared/contracts/source";
import { compileExpression, type Predicate } from "@tributary/shared/definitions/expression";
import type { TypedEvent } from "./event-intake.ts";

/** What route does with the events of one source, decided once for a catalog version. */
export interface RoutingPlan {
  readonly catalogVersion: number;
  readonly partitions: number;
  readonly source: EventSource;
  /** Entities that views of this source describe: one series per partition each. */
  readonly entities: readonly EntityPlan[];
}

export interface EntityPlan {
  readonly entity: Entity;
  readonly views: readonly ViewPlan[];
  /** Fields that any of the views aggregates. */
  readonly fields: readonly string[];
}

interface ViewPlan {
  readonly name: string;
  readonly version: number;
  readonly keys: Readonly<Record<string, string>>;
  readonly accepts: Predicate;
  /** Fields that the filter names. */
  readonly filtered: readonly string[];
}

/** @throws TributaryError UNKNOWN_SOURCE, INVALID_DEFINITION */
export function routingPlan(catalog: Catalog, sourceName: string): RoutingPlan {
  const source = catalog.sources[sourceName];
  if (source?.kind !== "event") throw new TributaryError("UNKNOWN_SOURCE", `there is no event source "${sourceName}"`);
  const views = streamViews(catalog).filter((view) => view.source === sourceName);
  const entities = [...new Set(views.map((view) => view.entity))].map((name) =>
    entityPlan(
      catalog,
      source,
      views.filter((view) => view.entity === name),
    ),
  );
  return { catalogVersion: catalog.version, partitions: catalog.partitions, source, entities };
}

export function streamViews(catalog: Catalog): StreamView[] {
  return Object.values(catalog.views).filter((view) => view.lane === "stream");
}

/** Event sources that feed a stream view. */
export function routedSources(catalog: Catalog): EventSource[] {
  const names = new Set(streamViews(catalog).map((view) => view.source));
  return Object.values(catalog.sources)
    .filter((source) => source.kind === "event")
    .filter(({ name }) => names.has(name));
}

export interface Projection {
  readonly entity: EntityPlan;
  readonly partition: number;
  /** Index into the entity's views, key. */
  readonly keys: readonly (readonly [view: number, key: string])[];
}

/**
 * Where an event goes: one projection per (partition, entity), holding the keys of all its views there (O3).
 * @throws TributaryError BAD_KEY, MISSING_KEY, BAD_VALUE naming the view whose filter fails
 */
export function projectEvent(plan: RoutingPlan, event: TypedEvent): Projection[] {
  return plan.entities.flatMap((entity) => projectOnto(plan, entity, event));
}

function projectOnto(plan: RoutingPlan, entityPlanned: EntityPlan, event: TypedEvent): Projection[] {
  const byPartition = new Map<number, [number, string][]>();
  for (let i = 0; i < entityPlanned.views.length; i++) {
    const view = entityPlanned.views[i] as ViewPlan;
    if (!accepts(view, event)) continue;
    const key = keyOf(entityPlanned.entity, view, event);
    const partition = partitionOf(key, plan.partitions);
    const keys = byPartition.get(partition);
    if (keys) keys.push([i, key]);
    else byPartition.set(partition, [[i, key]]);
  }
  return [...byPartition].map(([partition, keys]) => ({ entity: entityPlanned, partition, keys }));
}

/** As in SQL: a filter that meets a NULL it cannot judge does not hold. */
function accepts(view: ViewPlan, event: TypedEvent): boolean {
  try {
    return view.accepts(event.fields);
  } catch (error) {
    if (view.filtered.some((field) => event.fields[field] === null)) return false;
    const why = error instanceof Error ? error.message.split("\n")[0] : String(error);
    throw new TributaryError("BAD_VALUE", `the filter of view "${view.name}" cannot judge the event: ${why}`);
  }
}

function keyOf(entity: Entity, view: ViewPlan, event: TypedEvent): string {
  const values: Record<string, unknown> = {};
  for (const key in view.keys) values[key] = event.fields[view.keys[key] as string];
  return encodeEntityKey(entity, values);
}

function entityPlan(catalog: Catalog, source: EventSource, views: readonly StreamView[]): EntityPlan {
  const name = views[0]?.entity ?? "";
  const entity = catalog.entities[name];
  if (!entity) throw new TributaryError("INVALID_DEFINITION", `entity "${name}" is not in the catalog`);
  return {
    entity,
    views: views.map((view) => ({
      name: view.name,
      version: view.version,
      keys: view.keys,
      accepts: filterOf(source, view),
      filtered: source.fields.map((field) => field.name).filter((name) => names(view.where ?? "", name)),
    })),
    fields: [...new Set(views.flatMap((view) => view.aggregations.flatMap(({ field }) => field ?? [])))],
  };
}

function filterOf(source: EventSource, view: StreamView): Predicate {
  if (view.where === undefined) return () => true;
  const types = Object.fromEntries(source.fields.map((field) => [field.name, field.type]));
  let problem = "";
  const predicate = compileExpression(view.where, types, (why) => {
    problem = why;
  });
  if (!predicate) throw new TributaryError("INVALID_DEFINITION", `view "${view.name}": where: ${problem}`);
  return predicate;
}

function names(expression: string, field: string): boolean {
  return new RegExp(`\\b${field}\\b`).test(expression);
}
