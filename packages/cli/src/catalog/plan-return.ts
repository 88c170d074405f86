import type { View } from "@tributary/shared/contracts/catalog";
import { addition, type Change, changeOf, type Remedy, servicesOn } from "./change.ts";
import { type Difference, differencesOf } from "./difference.ts";
import { featureRules, viewRules } from "./evolution-rules.ts";
import { greatestVersion, type ViewPast } from "./past.ts";
import { featurePlace, placeOf, raiseAbove, type ViewSurroundings } from "./view-surroundings.ts";

/**
 * A view takes a version again that it had before, and finds what it left: cells in every record, what batch has published,
 * confirmations.
 *   direct  reads show the old cells with their true age.
 *   batch   the same; the next run publishes every row anew, and a tombstone for every key that is gone.
 *   stream  never: its windows ended when the version left, the events since are in none of them, and yet a confirmation
 *           would call the old rows fresh.
 * What is found has to fit: the shape is that of the earlier days, or one that could have followed it.
 */
export interface Return {
  /** Of another version; undefined: the current catalog does not have the view. */
  readonly before: View | undefined;
  readonly after: View;
  readonly earlier: ViewPast;
}

export function planReturn(around: ViewSurroundings, { before, after, earlier }: Return): Change[] {
  const misfits = misfitsOf(around, after, earlier);
  const version = { field: "version", before: before?.version, after: after.version, breaking: true };
  if (misfits.length === 0 && before === undefined) return comesBack(after);
  const remedy = misfits.length === 0 ? goingBack(before, after) : raise(around, after);
  const breaks = servicesOn(around.current, ({ view }) => view === after.name);
  const reason = misfits.length === 0 ? isReadAgain(after) : doesNotFit(after, misfits);
  return [
    ...changeOf(placeOf(after), { differences: [version, ...misfits], remedy, breaks, reason }),
    ...comingFeatures(before, after),
  ];
}

function raise({ past }: ViewSurroundings, { name }: View): Remedy {
  return raiseAbove(name, greatestVersion(past, name));
}

/** An old checkout must not take a view back by accident. */
function goingBack(before: View | undefined, after: View): Remedy | null {
  if (before === undefined || after.version > before.version) return null;
  const { fix } = raiseAbove(after.name, before.version);
  return { needs: "goBack", fix: `${fix}, or go back with \`tributary catalog restore\` or --allow-destroy` };
}

function comesBack(view: View): Change[] {
  const reason = isReadAgain(view);
  return [addition(placeOf(view), reason), ...comingFeatures(undefined, view)];
}

function comingFeatures(before: View | undefined, after: View): Change[] {
  const own = (view: View | undefined) => view?.features.map(({ name }) => name) ?? [];
  const [old, now] = [own(before), own(after)];
  return now.filter((name) => !old.includes(name)).map((name) => addition(featurePlace(after, name)));
}

function isReadAgain({ version, lane }: View): string {
  const then = lane === "batch" ? "; its next run publishes every row anew" : "";
  return `version ${version} was there before: what is stored of it is read again, with its true age${then}`;
}

function doesNotFit({ version, lane }: View, misfits: readonly Difference[]): string {
  if (lane === "stream") return `version ${version} was there before, and its windows ended when it left`;
  return `version ${version} was there before with another ${misfits.map(({ field }) => field).join(", ")}`;
}

function misfitsOf({ next }: ViewSurroundings, after: View, earlier: ViewPast): Difference[] {
  const keys = next.entities[after.entity]?.keys ?? [];
  const all = [
    ...differencesOf(earlier.view, after, { rules: viewRules, except: ["name", "version", "features"] }),
    ...differencesOf({ "entity keys": earlier.keys }, { "entity keys": keys }, { rules: {} }),
    ...after.features.flatMap((feature) => {
      const old = earlier.features.get(feature.name);
      const differences = old ? differencesOf(old, feature, { rules: featureRules, except: ["name"] }) : [];
      return differences.map((one) => ({ ...one, field: `${feature.name}.${one.field}` }));
    }),
    ...(after.lane === "stream" ? [{ field: "windows", before: "ended", after: undefined, breaking: true }] : []),
  ];
  return all.filter(({ breaking }) => breaking);
}
