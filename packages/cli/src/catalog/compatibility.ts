import type { CatalogBody, Entity, Feature, View } from "@tributary/shared/contracts/catalog";
import { Problems } from "@tributary/shared/definitions/problems";

/**
 * What may follow what: stored cells are read by their view's newest definition, so a change of their meaning needs a new
 * view version, and keys, which have none, never change.
 * @throws TributaryError INVALID_DEFINITION listing everything that does not fit the current catalog
 */
export function assertCompatible(current: CatalogBody, next: CatalogBody): void {
  const problems = new Problems();
  if (current.partitions !== next.partitions) {
    problems.add("partitions", `are ${current.partitions} in this environment and cannot become ${next.partitions}`);
  }
  for (const [before, after] of pairs(current.entities, next.entities)) compareEntities(before, after, problems);
  for (const [before, after] of pairs(current.views, next.views)) compareViews(before, after, problems);
  problems.throwIfAny();
}

function pairs<T>(current: Readonly<Record<string, T>>, next: Readonly<Record<string, T>>): [T, T][] {
  return Object.entries(current).flatMap(([name, before]) => {
    const after = next[name];
    return after === undefined ? [] : [[before, after] as [T, T]];
  });
}

function compareEntities(before: Entity, after: Entity, problems: Problems): void {
  const keys = (entity: Entity) => entity.keys.map((key) => `${key.name}:${key.type}`).join();
  if (keys(before) !== keys(after)) {
    problems.add(`entity "${after.name}"`, "has other join keys than before; define a new entity");
  }
}

function compareViews(before: View, after: View, problems: Problems): void {
  const where = `view "${after.name}"`;
  if (after.version < before.version) {
    problems.add(where, `has version ${after.version}, lower than the current ${before.version}`);
  }
  if (after.version > before.version) return;
  for (const change of breakingChanges(before, after)) {
    problems.add(where, `changed its ${change}; raise its version above ${before.version}`);
  }
}

function breakingChanges(before: View, after: View): string[] {
  const retyped = before.features.filter((feature) => {
    const now = after.features.find(({ name }) => name === feature.name);
    return now !== undefined && typeOf(now) !== typeOf(feature);
  });
  return [
    ...(before.lane === after.lane ? [] : [`lane (${before.lane} → ${after.lane})`]),
    ...(before.entity === after.entity ? [] : [`entity ("${before.entity}" → "${after.entity}")`]),
    ...retyped.map(({ name }) => `feature "${name}" to another type`),
  ];
}

function typeOf({ type, of, dimension }: Feature): string {
  return [type, of, dimension].join();
}
