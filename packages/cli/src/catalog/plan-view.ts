import type { CatalogBody, View } from "@tributary/shared/contracts/catalog";
import { addition, type Change, changeOf, type Remedy, removal, servicesOn } from "./change.ts";
import { differencesOf } from "./difference.ts";
import { featureRules, viewRules } from "./evolution-rules.ts";

/** What becomes of one view and its features; undefined = it is not there. */
export function planView(current: CatalogBody, before: View | undefined, after: View | undefined): Change[] {
  if (after === undefined) return before === undefined ? [] : removeView(current, before);
  if (before === undefined)
    return [addition("view", after.name), ...namesOf(after).map((name) => addition("feature", name))];
  return [...changeView(current, before, after), ...changeFeatures(current, before, after)];
}

function removeView(current: CatalogBody, view: View): Change[] {
  const remedy: Remedy = { needs: "allowDestroy", fix: "put it back, or apply with --allow-destroy" };
  const breaks = servicesOn(current, (place) => place.view === view.name);
  // The features go with their view: one consent for all.
  const features = namesOf(view).map((name) => removal("feature", name, null));
  return [removal("view", view.name, remedy, { breaks }), ...features];
}

function changeView(current: CatalogBody, before: View, after: View): Change[] {
  const version = { field: "version", before: before.version, after: after.version, breaking: true };
  const differences = [
    // Values of another version are not read: the view begins empty.
    ...(before.version === after.version ? [] : [version]),
    ...differencesOf(before, after, { rules: viewRules, except: ["name", "version", "features"] }),
  ];
  const breaks = servicesOn(current, (place) => place.view === before.name);
  return changeOf("view", after.name, { differences, remedy: remedyOf(before, after), breaks });
}

/** null: the view's version rises, and nothing stored is read any more. */
function remedyOf(before: View, after: View): Remedy | null {
  if (after.version > before.version) return null;
  return { needs: "newVersion", fix: `raise the version of view "${after.name}" above ${before.version}` };
}

function changeFeatures(current: CatalogBody, before: View, after: View): Change[] {
  const names = [...new Set([...before.features, ...after.features].map(({ name }) => name))];
  const changes = names.flatMap((feature) => changeFeature(current, { before, after, feature }));
  return [...changes, ...changeOrder(before, after, changes)];
}

interface FeaturePair {
  readonly before: View;
  readonly after: View;
  readonly feature: string;
}

function changeFeature(current: CatalogBody, { before, after, feature }: FeaturePair): Change[] {
  const old = before.features.find(({ name }) => name === feature);
  const now = after.features.find(({ name }) => name === feature);
  const name = `${after.name}.${feature}`;
  if (old === undefined) return [addition("feature", name)];
  const breaks = servicesOn(current, (place) => place.view === before.name && place.feature === feature);
  if (now === undefined) return [removal("feature", name, remedyOfRemoval(before, after), { breaks })];
  const differences = differencesOf(old, now, { rules: featureRules, except: ["name"] });
  return changeOf("feature", name, { differences, remedy: remedyOf(before, after), breaks });
}

/** A stream view's features come and go with its aggregations and windows, which ask for a new version already. */
function remedyOfRemoval(before: View, after: View): Remedy | null {
  const remedy = remedyOf(before, after);
  if (remedy === null || before.lane === "stream") return remedy;
  return { needs: "allowDestroy", fix: `${remedy.fix}, or apply with --allow-destroy` };
}

/** Cells go by name: the order says nothing, and is told because it makes another catalog. */
function changeOrder(before: View, after: View, changes: readonly Change[]): Change[] {
  const order = (view: View) => view.features.map(({ name }) => name);
  const [old, now] = [order(before), order(after)];
  if (changes.length > 0 || before.lane === "stream" || old.join() === now.join()) return [];
  const difference = { field: "features order", before: old, after: now, breaking: false };
  return changeOf("view", after.name, { differences: [difference], remedy: null, breaks: [] });
}

function namesOf(view: View): string[] {
  return view.features.map(({ name }) => `${view.name}.${name}`);
}
