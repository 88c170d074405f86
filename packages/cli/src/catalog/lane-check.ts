import type { BatchView, Lane, StreamView, View } from "@tributary/shared/contracts/catalog";
import { declaredDuration, durationText } from "@tributary/shared/definitions/duration-text";

/**
 * Whether a view's lane can keep the freshness that the view declares. What counts is the greatest age that a value may
 * reach while everything works: just before the next confirmation is there. Disorder does not delay these windows: they
 * slide with the clock, and a late event corrects them.
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
}

/** What a run is taken to need, from the interval's end to the last value in the store, ms. */
export const assumedRunMs = 60_000;
/** The defaults of the stream-processor's COALESCE_MS and MARK_MS and of the online-store's PROGRESS_MS, ms. */
export const assumedCoalesceMs = 200;
export const assumedMarkMs = 1_000;
export const assumedProgressMs = 200;

export function checkLane(view: View): LaneCheck {
  switch (view.lane) {
    case "batch":
      return checkBatch(view);
    case "stream":
      return checkStream(view);
    case "direct":
      return {
        view: view.name,
        lane: "direct",
        meets: true,
        freshnessMs: view.freshnessMs,
        neededMs: null,
        why: `always met by the lane: a value is as fresh as its producer writes it; write again within ${durationText(view.freshnessMs)}`,
        fix: null,
      };
    default:
      return view satisfies never;
  }
}

function checkBatch(view: BatchView): LaneCheck {
  const sum: Sum = [
    ["interval", view.everyMs],
    ["assumed run", assumedRunMs],
  ];
  const everyMax = view.freshnessMs - assumedRunMs;
  const faster =
    everyMax > 0 ? `, or every: "${declaredDuration(everyMax)}" or less` : ", or use a stream or direct view";
  return compare(view, sum, faster);
}

function checkStream(view: StreamView): LaneCheck {
  const sum: Sum = [
    ["coalescing", assumedCoalesceMs],
    ["mark", assumedMarkMs],
    ["confirmation seen", assumedProgressMs],
  ];
  return compare(view, sum, "");
}

type Sum = readonly (readonly [what: string, ms: number])[];

function compare(view: BatchView | StreamView, sum: Sum, otherFix: string): LaneCheck {
  const { name, lane, freshnessMs } = view;
  const neededMs = sum.reduce((total, [, ms]) => total + ms, 0);
  const meets = neededMs <= freshnessMs;
  const terms = sum.map(([what, ms]) => `${what} ${durationText(ms)}`).join(" + ");
  return {
    view: name,
    lane,
    meets,
    freshnessMs,
    neededMs,
    why: `${terms} = ${durationText(neededMs)}, ${meets ? "within" : "more than"} freshness ${durationText(freshnessMs)}`,
    fix: meets ? null : `declare freshness: "${declaredDuration(neededMs)}" or more${otherFix}`,
  };
}

/** What a person has to mend; undefined when the lane meets the freshness. */
export function laneProblem({ view, lane, why, fix }: LaneCheck): string | undefined {
  return fix === null ? undefined : `view "${view}" cannot meet its freshness in the ${lane} lane: ${why}; ${fix}`;
}
