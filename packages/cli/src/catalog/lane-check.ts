import type { BatchView, Lane, StreamView, View } from "@tributary/shared/contracts/catalog";
import { declaredDuration, durationText } from "@tributary/shared/definitions/duration-text";
import {
  type AgeTerms,
  ageOf,
  ageText,
  assumedRunMs,
  batchAgeTerms,
  streamAgeTerms,
} from "@tributary/shared/definitions/lane-age";
import { laneChoiceOf } from "@tributary/shared/definitions/lane-planner";

/**
 * Whether a view's lane can keep the freshness that the view declares. What counts is the greatest age that a value may
 * reach while everything works; and, for an aggregateView, why the planner gave it this lane.
 */
export interface LaneCheck {
  readonly view: string;
  readonly lane: Lane;
  readonly meets: boolean;
  readonly freshnessMs: number;
  /** Greatest age the lane reaches by itself; null = its producers decide. */
  readonly neededMs: number | null;
  /** The arithmetic, as a sentence that a person can check. */
  readonly why: string;
  /** What to change; null when it meets. */
  readonly fix: string | null;
  /** How the lane was chosen, where the definition leaves it open; null where it names the lane. */
  readonly chosen: { readonly rule: string; readonly why: string } | null;
}

export function checkLane(view: View): LaneCheck {
  switch (view.lane) {
    case "batch":
      return checkBatch(view);
    case "stream":
      return compare(view, streamAgeTerms, "");
    case "direct":
      return {
        view: view.name,
        lane: "direct",
        meets: true,
        freshnessMs: view.freshnessMs,
        neededMs: null,
        why: `always met by the lane: a value is as fresh as its producer writes it; write again within ${durationText(view.freshnessMs)}`,
        fix: null,
        chosen: null,
      };
    default:
      return view satisfies never;
  }
}

function checkBatch(view: BatchView): LaneCheck {
  const everyMax = view.freshnessMs - assumedRunMs;
  const faster =
    everyMax > 0 ? `, or every: "${declaredDuration(everyMax)}" or less` : ", or use a stream or direct view";
  return compare(view, batchAgeTerms(view.everyMs), faster);
}

function compare(view: BatchView | StreamView, terms: AgeTerms, otherFix: string): LaneCheck {
  const { name, lane, freshnessMs } = view;
  const neededMs = ageOf(terms);
  const meets = neededMs <= freshnessMs;
  return {
    view: name,
    lane,
    meets,
    freshnessMs,
    neededMs,
    why: `${ageText(terms)}, ${meets ? "within" : "more than"} freshness ${durationText(freshnessMs)}`,
    fix: meets ? null : `declare freshness: "${declaredDuration(neededMs)}" or more${otherFix}`,
    chosen: chosenBy(view),
  };
}

function chosenBy(view: View): LaneCheck["chosen"] {
  const choice = laneChoiceOf(view);
  return choice === undefined ? null : { rule: choice.rule, why: choice.why };
}

/** What a person has to mend; undefined when the lane meets the freshness. */
export function laneProblem({ view, lane, why, fix }: LaneCheck): string | undefined {
  return fix === null ? undefined : `view "${view}" cannot meet its freshness in the ${lane} lane: ${why}; ${fix}`;
}
