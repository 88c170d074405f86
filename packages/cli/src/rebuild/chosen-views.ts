import { type Catalog, type Lane, lanes, type View } from "@tributary/shared/contracts/catalog";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { unknownName } from "../near-names.ts";

export interface RebuildChoice {
  readonly view: string | undefined;
  readonly lane: string | undefined;
}

/** Lane by lane. @throws TributaryError UNKNOWN_VIEW, WRONG_LANE, NOT_FOUND when there is no view of that lane */
export function chosenViews(catalog: Catalog, { view: name, lane }: RebuildChoice): readonly View[] {
  const all = lanes.flatMap((one) => Object.values(catalog.views).filter((view) => view.lane === one));
  const named = name === undefined ? all : all.filter((view) => view.name === name);
  if (name !== undefined && named.length === 0)
    throw unknownName("UNKNOWN_VIEW", "view", name, Object.keys(catalog.views));
  const chosen = lane === undefined ? named : named.filter((view) => view.lane === lane);
  if (chosen.length > 0) return chosen;
  if (name !== undefined)
    throw new TributaryError("WRONG_LANE", `view "${name}" is of the ${named[0]?.lane} lane, not of the ${lane} lane`);
  const which = lane === undefined ? "view" : `view of the ${lane} lane`;
  throw new TributaryError(
    "NOT_FOUND",
    `catalog version ${catalog.version} has no ${which}: there is nothing to rebuild`,
  );
}

export function namesOf(views: readonly View[], lane: Lane): readonly string[] {
  return views.filter((view) => view.lane === lane).map(({ name }) => name);
}
