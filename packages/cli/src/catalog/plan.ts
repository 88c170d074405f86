import type { CatalogBody, Entity } from "@tributary/shared/contracts/catalog";
import { addition, type Change, changeOf, type Place, type Remedy, removal, servicesOn } from "./change.ts";
import { differencesOf } from "./difference.ts";
import { entityRules } from "./evolution-rules.ts";
import { checkLane, type LaneCheck, laneProblem } from "./lane-check.ts";
import { noPast, type Past } from "./past.ts";
import { planFeatureService } from "./plan-feature-service.ts";
import { planOnDemandFeature } from "./plan-on-demand-feature.ts";
import { planSource } from "./plan-source.ts";
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

/**
 * The way from the current catalog (undefined: none was applied) to the next. Entities first, then what stands on them.
 * `past`: what the current catalog and all before it left behind.
 */
export function planCatalog(live: CatalogBody | undefined, next: CatalogBody, past: Past = noPast): Plan {
  const current = live ?? nothing;
  const around = { current, next, past };
  const changes = [
    ...(live === undefined ? [] : planPartitions(live, next)),
    ...pairs(current.entities, next.entities).flatMap((pair) => planEntity(around, ...pair)),
    ...pairs(current.sources, next.sources).flatMap((pair) => planSource(around, ...pair)),
    ...pairs(current.onDemandFeatures ?? {}, next.onDemandFeatures ?? {}).flatMap((pair) =>
      planOnDemandFeature(current, ...pair),
    ),
    ...pairs(current.views, next.views).flatMap((pair) => planView(around, ...pair)),
    ...pairs(current.featureServices, next.featureServices).flatMap((pair) => planFeatureService(around, ...pair)),
  ];
  return { changes, lanes: Object.values(next.views).map(checkLane) };
}

/** The plan for somebody who goes back on purpose: nothing is needed for that any more. */
export function agreeToGoBack(plan: Plan): Plan {
  const agreed = (change: Change): Change =>
    change.needs === "goBack" ? { ...change, needs: null, fix: null } : change;
  return { ...plan, changes: plan.changes.map(agreed) };
}

/** Whether applying asks for a consent that `--allow-destroy` gives. */
export function needsConsent({ changes }: Plan): boolean {
  return changes.some(({ needs }) => needs === "allowDestroy" || needs === "goBack");
}

/** What forbids applying the plan, one line each, with its fix; empty: it can be applied. */
export function problemsOf(plan: Plan, { allowDestroy }: { readonly allowDestroy: boolean }): string[] {
  const allowed = allowDestroy ? ["allowDestroy", "goBack"] : [];
  const blocking = plan.changes.filter(({ needs }) => needs !== null && !allowed.includes(needs));
  const lanes = plan.lanes.map(laneProblem).filter((line) => line !== undefined);
  return [...blocking.map(describeProblem), ...lanes];
}

/** `entity`, `feature service`. */
export function wordFor(what: Change["what"]): string {
  if (what === "featureService") return "feature service";
  return what === "onDemandFeature" ? "on-demand feature" : what;
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
  return changeOf(
    { what: "environment", name: "partitions" },
    {
      differences: differencesOf({ partitions }, { partitions: next.partitions }, { rules: {} }),
      remedy: { needs: "newEnvironment", fix },
      breaks: Object.keys(current.featureServices).sort(),
    },
  );
}

/** One that comes back follows what it last was: records are found by its keys. */
function planEntity(
  { current, past }: { readonly current: CatalogBody; readonly past: Past },
  before: Entity | undefined,
  after: Entity | undefined,
): Change[] {
  const place: Place = { what: "entity", name: after?.name ?? before?.name ?? "" };
  if (after === undefined) return [removal(place, null)];
  const remedy: Remedy = { needs: "newName", fix: "keys never change; define a new entity, with new views" };
  const changes = changeOf(place, {
    differences: differencesOf(before ?? past.entities.get(after.name) ?? after, after, {
      rules: entityRules,
      except: ["name"],
    }),
    remedy,
    breaks: servicesOn(current, ({ view }) => current.views[view]?.entity === after.name),
  });
  return before === undefined && changes.every(({ kind }) => kind !== "breaking") ? [addition(place)] : changes;
}
