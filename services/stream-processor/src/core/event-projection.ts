import type { Entity } from "@tributary/shared/contracts/catalog";
import type { FeatureValue } from "@tributary/shared/contracts/chunk";
import { encodeEntityKey, partitionOf } from "@tributary/shared/contracts/entity-key";
import { TributaryError } from "@tributary/shared/contracts/errors";
import type { TypedEvent } from "./event-intake.ts";
import type { EntityPlan, Fields, RoutingPlan, ViewPlan } from "./routing-plan.ts";

export interface Projection {
  readonly entity: EntityPlan;
  readonly partition: number;
  /** Index into the entity's views, key. */
  readonly keys: readonly (readonly [view: number, key: string])[];
  /** One a column of the entity. */
  readonly values: readonly (number | null)[];
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
  const seen = entityPlanned.views.map((view) => view.derive(event.fields));
  for (let i = 0; i < entityPlanned.views.length; i++) {
    const [view, fields] = [entityPlanned.views[i] as ViewPlan, seen[i] as Fields];
    if (!accepts(view, fields)) continue;
    const key = keyOf(entityPlanned.entity, view, fields);
    const partition = partitionOf(key, plan.partitions);
    const keys = byPartition.get(partition);
    if (keys) keys.push([i, key]);
    else byPartition.set(partition, [[i, key]]);
  }
  if (byPartition.size === 0) return [];
  const values = entityPlanned.columns.map(({ field, view }) =>
    aggregable((view === undefined ? event.fields : seen[view])?.[field]),
  );
  return [...byPartition].map(([partition, keys]) => ({ entity: entityPlanned, partition, keys, values }));
}

/** Numbers are aggregated; of anything else only its presence counts. */
function aggregable(value: FeatureValue | undefined): number | null {
  if (value === null || value === undefined) return null;
  return typeof value === "number" ? value : typeof value === "bigint" ? Number(value) : 1;
}

/** As in SQL: a filter that meets a NULL it cannot judge does not hold. */
function accepts(view: ViewPlan, fields: Fields): boolean {
  try {
    return view.accepts(fields);
  } catch (error) {
    if (view.filtered.some((field) => fields[field] === null)) return false;
    const why = error instanceof Error ? error.message.split("\n")[0] : String(error);
    throw new TributaryError("BAD_VALUE", `the filter of view "${view.name}" cannot judge the event: ${why}`);
  }
}

function keyOf(entity: Entity, view: ViewPlan, fields: Fields): string {
  const values: Record<string, unknown> = {};
  for (const key in view.keys) values[key] = fields[view.keys[key] as string];
  return encodeEntityKey(entity, values);
}
