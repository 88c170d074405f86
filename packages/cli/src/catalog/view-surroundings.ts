import type { CatalogBody, View } from "@tributary/shared/contracts/catalog";
import type { Place, Remedy } from "./change.ts";
import type { Past } from "./past.ts";

/** Where a view's changes are judged from: the current catalog, and what all before it left behind. */
export interface ViewSurroundings {
  readonly current: CatalogBody;
  readonly next: CatalogBody;
  readonly past: Past;
}

export function placeOf({ name, lane }: View): Place {
  return { what: "view", name, lane };
}

export function featurePlace({ name, lane }: View, feature: string): Place {
  return { what: "feature", name: `${name}.${feature}`, lane };
}

export function raiseAbove(view: string, version: number): Remedy {
  return { needs: "newVersion", fix: `raise the version of view "${view}" above ${version}` };
}
