import type { CatalogBody, OnDemandFeature } from "@tributary/shared/contracts/catalog";
import { addition, type Change, changeOf, type Place, type Remedy, removal } from "./change.ts";
import { differencesOf } from "./difference.ts";
import { onDemandFeatureRules } from "./evolution-rules.ts";

/** What becomes of one on-demand feature; undefined = it is not there. It has no version: its readers are asked for. */
export function planOnDemandFeature(
  current: CatalogBody,
  before: OnDemandFeature | undefined,
  after: OnDemandFeature | undefined,
): Change[] {
  const name = after?.name ?? before?.name ?? "";
  const place: Place = { what: "onDemandFeature", name };
  const breaks = servicesWith(current, name);
  if (after === undefined) return [removal(place, consent("put it back"), breaks)];
  if (before === undefined) return [addition(place)];
  const differences = differencesOf(before, after, { rules: onDemandFeatureRules, except: ["name"] });
  return changeOf(place, { differences, remedy: consent("define another on-demand feature beside it"), breaks });
}

function consent(fix: string): Remedy {
  return { needs: "allowDestroy", fix: `${fix}, or apply with --allow-destroy` };
}

function servicesWith({ featureServices }: CatalogBody, feature: string): string[] {
  return Object.values(featureServices)
    .filter(({ onDemand = [] }) => onDemand.some((column) => column.feature === feature))
    .map(({ name }) => name)
    .sort();
}
