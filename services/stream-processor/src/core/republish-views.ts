import type { Catalog } from "@tributary/shared/contracts/catalog";
import { TributaryError } from "@tributary/shared/contracts/errors";
import type { PartitionState, ViewState } from "./partition-state.ts";
import { streamViews } from "./routing-plan.ts";

/**
 * The views that a republish is of: the named one, or all. A partition takes up a catalog where its series says so, which may
 * be a moment after it is applied; to call the versions before whole would say nothing of those that readers ask for.
 * @throws TributaryError UNKNOWN_VIEW, WRONG_LANE, STALE_CATALOG
 */
export function askedViews(
  { views, partition }: PartitionState,
  current: Catalog | undefined,
  asked: string | undefined,
): ViewState[] {
  if (current === undefined) throw new TributaryError("STALE_CATALOG", "no catalog is applied yet");
  const wanted = asked === undefined ? streamViews(current) : [current.views[asked]];
  return wanted.map((view) => {
    if (view === undefined)
      throw new TributaryError("UNKNOWN_VIEW", `there is no view "${asked}" in catalog version ${current.version}`);
    if (view.lane !== "stream")
      throw new TributaryError("WRONG_LANE", `view "${view.name}" is of the ${view.lane} lane; ask that lane`);
    const held = views.get(view.name);
    if (held?.view.version === view.version) return held;
    throw new TributaryError(
      "STALE_CATALOG",
      `partition ${partition} has not taken up version ${view.version} of view "${view.name}" yet; ask again`,
    );
  });
}
