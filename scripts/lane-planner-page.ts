import { declaredDuration, durationText } from "@tributary/shared/definitions/duration-text";
import { ageText, assumedRunMs, batchAgeTerms, streamAgeText } from "@tributary/shared/definitions/lane-age";
import { cheaperInBatchMs, intervalsMs, laneRules, tilesPerKeyMax } from "@tributary/shared/definitions/lane-planner";
import { page, table } from "./reference-text.ts";

/** The rules by which an aggregateView gets its lane, and the numbers in them. */
export function lanePlannerPage(): string {
  const rules = laneRules.map(({ id, lane, when }) => [`\`${id}\``, lane ?? "none: an error", when]);
  const leastEvery = Math.min(...intervalsMs);
  const numbers = [
    ["age in the stream lane", streamAgeText],
    ["age in the batch lane, at least", ageText(batchAgeTerms(leastEvery))],
    ["room for a slow run", `once more the assumed run ${durationText(assumedRunMs)}`],
    ["intervals of batch", intervalsMs.map(declaredDuration).join(", ")],
    ["tiles a key in the stream lane", `longest window / hop, at most ${tilesPerKeyMax}`],
    ["batch costs less", `from freshness ${durationText(cheaperInBatchMs)} on`],
  ];
  const lead =
    "An `aggregateView` leaves its lane open. The first rule that applies decides; `tributary plan` tells which, and why.";
  return page("Lane planner", lead, [
    table(["rule", "lane", "when"], rules),
    "## Numbers",
    "A batch view gets the greatest interval that, with twice the assumed run, is within its freshness.",
    table(["what", "value"], numbers),
  ]);
}
