import type { CatalogBody, Entity } from "@tributary/shared/contracts/catalog";
import type { EventSource, TableSource } from "@tributary/shared/contracts/source";
import { addition, type Change, changeOf, type Remedy, removal, servicesOn } from "./change.ts";
import { differencesOf, type Rules } from "./difference.ts";
import { entityRules, eventSourceRules, tableSourceRules } from "./evolution-rules.ts";
import { checkLane, type LaneCheck, laneProblem } from "./lane-check.ts";
import { planFeatureService } from "./plan-feature-service.ts";
import { planView } from "./plan-view.ts";

/** What applying would do. `apply` carries out exactly this, or refuses. */
export interface Plan {
  /** Everything that differs; empty when the current catalog says the same already. */
  readonly changes: readonly Change[];
  /** One for each view of the next catalog. */
  readonly lanes: readonly LaneCheck[];
}

const nothing: CatalogBody = {
  format: 1,
  partitions: 1,
  entities: {},
  sources: {},
  views: {},
  featureServices: {},
};

/** The way from the current catalog (undefined: none was applied) to the next. Entities first, then what stands on them. */
export function planCatalog(live: CatalogBody | undefined, next: CatalogBody): Plan {
  const current = live ?? nothing;
  const changes = [
    ...(live === undefined ? [] : planPartitions(live, next)),
    ...pairs(current.entities, next.entities).flatMap(([before, after]) => planEntity(current, before, after)),
    ...pairs(current.sources, next.sources).flatMap(([before, after]) => planSource(current, before, after)),
    ...pairs(current.views, next.views).flatMap(([before, after]) => planView(current, before, after)),
    ...pairs(current.featureServices, next.featureServices).flatMap(([before, after]) =>
      planFeatureService({ current, next }, before, after),
    ),
  ];
  return { changes, lanes: Object.values(next.views).map(checkLane) };
}

/** What forbids applying the plan, one line each, with its fix; empty: it can be applied. */
export function problemsOf(plan: Plan, { allowDestroy }: { readonly allowDestroy: boolean }): string[] {
  const blocking = plan.changes.filter(({ needs }) => needs !== null && !(allowDestroy && needs === "allowDestroy"));
  const lanes = plan.lanes.map(laneProblem).filter((line) => line !== undefined);
  return [...blocking.map(describeProblem), ...lanes];
}

const words = { featureService: "feature service" } as const;

/** `entity`, `feature service`. */
export function wordFor(what: Change["what"]): string {
  return what === "featureService" ? words[what] : what;
}

function describeProblem({ kind, what, name, differences, fix, breaks }: Change): string {
  const fields = differences.filter(({ breaking }) => breaking).map(({ field }) => field);
  const how = kind === "removal" ? "would be removed" : `changes its ${fields.join(", ")}`;
  const others = breaks.filter((service) => what !== "featureService" || service !== name);
  const readers = others.length === 0 ? "" : `; it breaks feature service ${others.join(", ")}`;
  return `${wordFor(what)} "${name}" ${how}: ${fix}${readers}`;
}

function pairs<T>(
  current: Readonly<Record<string, T>>,
  next: Readonly<Record<string, T>>,
): [T | undefined, T | undefined][] {
  const names = [...new Set([...Object.keys(current), ...Object.keys(next)])];
  const own = (members: Readonly<Record<string, T>>, name: string) =>
    Object.hasOwn(members, name) ? members[name] : undefined;
  return names.map((name) => [own(current, name), own(next, name)]);
}

function planPartitions(current: CatalogBody, next: CatalogBody): Change[] {
  const { partitions } = current;
  const fix = `they are ${partitions} for as long as this environment lives`;
  return changeOf("environment", "partitions", {
    differences: differencesOf({ partitions }, { partitions: next.partitions }, { rules: {} }),
    remedy: { needs: "newEnvironment", fix },
    breaks: Object.keys(current.featureServices).sort(),
  });
}

function planEntity(current: CatalogBody, before: Entity | undefined, after: Entity | undefined): Change[] {
  if (after === undefined) return before === undefined ? [] : [removal("entity", before.name, null)];
  if (before === undefined) return [addition("entity", after.name)];
  const remedy: Remedy = { needs: "newName", fix: "keys never change; define a new entity, with new views" };
  return changeOf("entity", after.name, {
    differences: differencesOf(before, after, { rules: entityRules, except: ["name"] }),
    remedy,
    breaks: servicesOn(current, ({ view }) => current.views[view]?.entity === after.name),
  });
}

type Source = EventSource | TableSource;

function planSource(current: CatalogBody, before: Source | undefined, after: Source | undefined): Change[] {
  if (after === undefined) return before === undefined ? [] : [removal("source", before.name, null)];
  if (before === undefined) return [addition("source", after.name)];
  return changeOf("source", after.name, {
    differences: differencesOf(before, after, { rules: sourceRules(before, after), except: ["name"] }),
    remedy: sourceRemedy(before, after),
    breaks: servicesOn(current, ({ view }) => readsFrom(current, view, after.name)),
  });
}

function sourceRules(before: Source, after: Source): Rules {
  if (before.kind !== after.kind) return {};
  return after.kind === "event" ? eventSourceRules : tableSourceRules;
}

/** Shards and kind are where a source's events are found: no version changes that. */
function sourceRemedy(before: Source, after: Source): Remedy | null {
  const isMoved = before.kind !== "event" || after.kind !== "event" || before.shards !== after.shards;
  if (isMoved) return { needs: "newName", fix: "define a new source, with new view versions that read it" };
  if (after.version > before.version) return null;
  return { needs: "newVersion", fix: `raise the version of source "${after.name}" above ${before.version}` };
}

function readsFrom(catalog: CatalogBody, view: string, source: string): boolean {
  const found = catalog.views[view];
  if (found?.lane === "stream") return found.source === source;
  return found?.lane === "batch" && found.sources.includes(source);
}
