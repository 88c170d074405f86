import type { CatalogBody, FeatureService } from "@tributary/shared/contracts/catalog";
import { addition, type Change, changeOf, type Place, removal } from "./change.ts";
import { type Difference, differencesOf } from "./difference.ts";
import { featureServiceRules } from "./evolution-rules.ts";

/** What becomes of one feature service; undefined = it is not there. A service has no version: its readers are asked for. */
export function planFeatureService(
  catalogs: { readonly current: CatalogBody; readonly next: CatalogBody },
  before: FeatureService | undefined,
  after: FeatureService | undefined,
): Change[] {
  if (after === undefined) return before === undefined ? [] : [removeService(before.name)];
  if (before === undefined) return [addition(placeOf(after.name))];
  const differences = differencesOf(before, after, { rules: featureServiceRules, except: ["name"] });
  const needsConsent = differences.some((one) => one.breaking && !isExcused(catalogs, before, one));
  const fix = "define another feature service beside it, or apply with --allow-destroy";
  const remedy = needsConsent ? ({ needs: "allowDestroy", fix } as const) : null;
  return changeOf(placeOf(after.name), { differences, remedy, breaks: [after.name] });
}

function removeService(name: string): Change {
  const remedy = { needs: "allowDestroy", fix: "put it back, or apply with --allow-destroy" } as const;
  return removal(placeOf(name), remedy, [name]);
}

function placeOf(name: string): Place {
  return { what: "featureService", name };
}

/** A column that goes because its view has a new version: raising the version was the consent. */
function isExcused(
  { current, next }: { readonly current: CatalogBody; readonly next: CatalogBody },
  before: FeatureService,
  { field }: Difference,
): boolean {
  const column = before.columns.find(({ name }) => field === `columns.${name}`);
  const [old, now] = column ? [current.views[column.view], next.views[column.view]] : [];
  return old !== undefined && now !== undefined && now.version > old.version;
}
