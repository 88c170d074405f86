import type { CatalogBody, View } from "@tributary/shared/contracts/catalog";
import { addition, type Change, changeOf, type Remedy, removal, servicesOn } from "./change.ts";
import { differencesOf } from "./difference.ts";
import { featureRules, viewRules } from "./evolution-rules.ts";
import { greatestVersion } from "./past.ts";
import { planReturn } from "./plan-return.ts";
import { featurePlace, placeOf, raiseAbove, type ViewSurroundings } from "./view-surroundings.ts";

/** What becomes of one view and its features; undefined = it is not there. */
export function planView(around: ViewSurroundings, before: View | undefined, after: View | undefined): Change[] {
  if (after === undefined) return before === undefined ? [] : removeView(around.current, before);
  const returned =
    before?.version === after.version ? undefined : around.past.views.get(after.name)?.get(after.version);
  if (returned !== undefined) return planReturn(around, { before, after, earlier: returned });
  if (before === undefined) return addView(after);
  return [...changeView(around, before, after), ...changeFeatures(around, before, after)];
}

function addView(view: View): Change[] {
  return [addition(placeOf(view)), ...view.features.map(({ name }) => addition(featurePlace(view, name)))];
}

function removeView(current: CatalogBody, view: View): Change[] {
  const remedy: Remedy = { needs: "allowDestroy", fix: "put it back, or apply with --allow-destroy" };
  const breaks = servicesOn(current, (cell) => cell.view === view.name);
  // The features go with their view: one consent for all.
  const features = view.features.map(({ name }) => removal(featurePlace(view, name), null));
  return [removal(placeOf(view), remedy, breaks), ...features];
}

function changeView(around: ViewSurroundings, before: View, after: View): Change[] {
  const version = { field: "version", before: before.version, after: after.version, breaking: true };
  const differences = [
    // Values of another version are not read: the view begins empty.
    ...(before.version === after.version ? [] : [version]),
    ...differencesOf(before, after, { rules: viewRules, except: ["name", "version", "features"] }),
  ];
  const breaks = servicesOn(around.current, (cell) => cell.view === before.name);
  const remedy = remedyOf(around, before, after);
  const reason = remedy === null ? { reason: beginsEmpty(after) } : {};
  return changeOf(placeOf(after), { differences, remedy, breaks, ...reason });
}

const filledBy = { batch: "its next run", stream: "the events from now on", direct: "its producers" } as const;

function beginsEmpty({ version, lane }: View): string {
  return `version ${version} begins empty and is filled by ${filledBy[lane]}`;
}

/** null: the view's version rises, and nothing stored is read any more. */
function remedyOf({ past }: ViewSurroundings, before: View, after: View): Remedy | null {
  if (after.version > before.version) return null;
  return raiseAbove(after.name, Math.max(before.version, greatestVersion(past, after.name)));
}

function changeFeatures(around: ViewSurroundings, before: View, after: View): Change[] {
  const names = [...new Set([...before.features, ...after.features].map(({ name }) => name))];
  const changes = names.flatMap((feature) => changeFeature(around, { before, after, feature }));
  return [...changes, ...changeOrder(before, after, changes)];
}

interface FeaturePair {
  readonly before: View;
  readonly after: View;
  readonly feature: string;
}

function changeFeature(around: ViewSurroundings, { before, after, feature }: FeaturePair): Change[] {
  const found = before.features.find(({ name }) => name === feature);
  // One that this view version had before has left its cells behind.
  const old = found ?? around.past.views.get(after.name)?.get(after.version)?.features.get(feature);
  const now = after.features.find(({ name }) => name === feature);
  const place = featurePlace(after, feature);
  const remedy = remedyOf(around, before, after);
  const breaks = servicesOn(around.current, (cell) => cell.view === before.name && cell.feature === feature);
  if (now === undefined) return [removal(place, remedyOfRemoval(remedy, after), breaks)];
  const differences = old === undefined ? [] : differencesOf(old, now, { rules: featureRules, except: ["name"] });
  const reason = remedy === null ? { reason: `its view begins anew with version ${after.version}` } : {};
  if (found !== undefined) return changeOf(place, { differences, remedy, breaks, ...reason });
  const isOtherThanBefore = differences.some(({ breaking }) => breaking);
  return isOtherThanBefore ? changeOf(place, { differences, remedy, breaks }) : [addition(place)];
}

/** A stream view's features come and go with its aggregations and windows, which ask for a new version already. */
function remedyOfRemoval(remedy: Remedy | null, after: View): Remedy | null {
  if (remedy === null || after.lane === "stream") return remedy;
  return { needs: "allowDestroy", fix: `${remedy.fix}, or apply with --allow-destroy` };
}

/** Cells go by name: the order says nothing, and is told because it makes another catalog. */
function changeOrder(before: View, after: View, changes: readonly Change[]): Change[] {
  const order = (view: View) => view.features.map(({ name }) => name);
  const [old, now] = [order(before), order(after)];
  if (changes.length > 0 || before.lane === "stream" || old.join() === now.join()) return [];
  const difference = { field: "features order", before: old, after: now, breaking: false };
  return changeOf(placeOf(after), { differences: [difference], remedy: null, breaks: [] });
}
