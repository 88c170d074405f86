import type { View } from "../contracts/catalog.ts";
import { declaredDuration, durationText } from "./duration-text.ts";
import { assumedRunMs, streamAgeMs, streamAgeText } from "./lane-age.ts";

/**
 * Which lane an aggregateView gets. The rules are looked at in order and the first that applies decides; each tells its
 * reason with the numbers, so that a person can check it. Nothing but what the view itself says goes in: the same view gets
 * the same lane in every environment.
 */
export interface LaneFacts {
  readonly freshnessMs: number;
  readonly windowsMs: readonly number[];
  readonly hopMs: number;
  /** Whether the same events are there as a table too. */
  readonly hasHistory: boolean;
}

export interface LaneRule {
  readonly id: string;
  /** null: no lane can, and the view cannot be applied as it is. */
  readonly lane: "batch" | "stream" | null;
  /** When it applies, for the reference page. */
  readonly when: string;
  readonly applies: (facts: LaneFacts) => boolean;
  readonly why: (facts: LaneFacts) => string;
}

/** Tiles of the longest window that the stream lane keeps well, for each key. */
export const tilesPerKeyMax = 2_000;
/** From this freshness on a run now and then costs less than keeping windows up to date, ms. */
export const cheaperInBatchMs = 3_600_000;
/** What a batch view may be run each, ms. */
export const intervalsMs = [1, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1_440].map((minutes) => minutes * 60_000);
const leastIntervalMs = Math.min(...intervalsMs);
/** A run that takes twice as long as assumed still keeps the freshness. */
const runRoomMs = 2 * assumedRunMs;

export const laneRules: readonly LaneRule[] = [
  {
    id: "only-stream-sees",
    lane: "stream",
    when: "the view has no history, and the stream lane can keep it",
    applies: (facts) => !facts.hasHistory && fitsStream(facts),
    why: () => "only the stream lane sees these events: the view has no history",
  },
  {
    id: "too-fresh-for-batch",
    lane: "stream",
    when: `freshness is less than ${durationText(leastIntervalMs + runRoomMs)}, and the stream lane can keep it`,
    applies: (facts) => facts.hasHistory && !fitsBatch(facts) && fitsStream(facts),
    why: (facts) => `batch cannot keep the freshness: ${batchText(facts)}`,
  },
  {
    id: "too-long-for-stream",
    lane: "batch",
    when: `the longest window has more than ${tilesPerKeyMax} hops, and batch can keep the freshness`,
    applies: (facts) => fitsBatch(facts) && !fitsStream(facts),
    why: (facts) => `the stream lane cannot keep the windows well: ${streamText(facts)}; ${everyText(facts)}`,
  },
  {
    id: "cheaper-in-batch",
    lane: "batch",
    when: `both lanes can, and freshness is ${durationText(cheaperInBatchMs)} or more`,
    applies: (facts) => fitsBatch(facts) && fitsStream(facts) && facts.freshnessMs >= cheaperInBatchMs,
    why: (facts) =>
      `both lanes can, and batch costs less: freshness ${durationText(facts.freshnessMs)} is ` +
      `${durationText(cheaperInBatchMs)} or more; ${everyText(facts)}`,
  },
  {
    id: "cheaper-in-stream",
    lane: "stream",
    when: `both lanes can, and freshness is less than ${durationText(cheaperInBatchMs)}`,
    applies: (facts) => fitsBatch(facts) && fitsStream(facts) && facts.freshnessMs < cheaperInBatchMs,
    why: (facts) =>
      `both lanes can, and the stream lane costs less: freshness ${durationText(facts.freshnessMs)} is less than ` +
      `${durationText(cheaperInBatchMs)}, for which batch would run ${everyWords(facts)}`,
  },
  {
    id: "no-lane",
    lane: null,
    when: "neither lane can",
    applies: () => true,
    why: (facts) => `neither lane can: stream: ${streamText(facts)}; batch: ${batchText(facts)}`,
  },
];

export interface LaneChoice {
  readonly rule: string;
  readonly lane: LaneRule["lane"];
  readonly why: string;
}

/** The lane for these facts, by the first rule that applies. */
export function planLane(facts: LaneFacts): LaneChoice {
  const rule = laneRules.find(({ applies }) => applies(facts)) as LaneRule;
  return { rule: rule.id, lane: rule.lane, why: rule.why(facts) };
}

/** How far apart a batch view's runs may be for this freshness, ms: the greatest interval that leaves room for a slow run. */
export function intervalFor(freshnessMs: number): number | undefined {
  return intervalsMs.findLast((intervalMs) => intervalMs + runRoomMs <= freshnessMs);
}

/** What the lane of a view of the catalog was chosen by, told from the view alone; undefined for a view that names its lane itself. */
export function laneChoiceOf(view: View): LaneChoice | undefined {
  if (view.laneRule === undefined) return undefined;
  const facts = factsOf(view);
  const choice = facts && planLane(facts);
  if (choice?.rule === view.laneRule) return choice;
  return { rule: view.laneRule, lane: null, why: "by a rule that has changed since" };
}

function factsOf(view: View): LaneFacts | undefined {
  const windowed = view.lane === "stream" ? view : view.lane === "batch" ? view.aggregate : undefined;
  if (windowed === undefined) return undefined;
  return {
    freshnessMs: view.freshnessMs,
    windowsMs: windowed.windows.map(({ ms }) => ms),
    hopMs: windowed.hopMs,
    hasHistory: view.laneRule !== laneRules[0]?.id,
  };
}

function fitsStream(facts: LaneFacts): boolean {
  return tilesOf(facts) <= tilesPerKeyMax && facts.freshnessMs >= streamAgeMs;
}

function fitsBatch({ hasHistory, freshnessMs }: LaneFacts): boolean {
  return hasHistory && intervalFor(freshnessMs) !== undefined;
}

function tilesOf({ windowsMs, hopMs }: LaneFacts): number {
  return Math.ceil(Math.max(...windowsMs) / hopMs);
}

function streamText(facts: LaneFacts): string {
  const { windowsMs, hopMs, freshnessMs } = facts;
  if (freshnessMs < streamAgeMs) return `${streamAgeText}, more than freshness ${durationText(freshnessMs)}`;
  const longest = declaredDuration(Math.max(...windowsMs));
  return `window ${longest} / hop ${declaredDuration(hopMs)} = ${tilesOf(facts)} tiles a key, more than ${tilesPerKeyMax}`;
}

function batchText({ hasHistory, freshnessMs }: LaneFacts): string {
  if (!hasHistory) return "the view has no history to compute from";
  const needed = `least interval ${durationText(leastIntervalMs)} + twice the assumed run ${durationText(assumedRunMs)}`;
  return `${needed} = ${durationText(leastIntervalMs + runRoomMs)}, more than freshness ${durationText(freshnessMs)}`;
}

function everyText(facts: LaneFacts): string {
  return `it runs ${everyWords(facts)}`;
}

function everyWords({ freshnessMs }: LaneFacts): string {
  return `every ${declaredDuration(intervalFor(freshnessMs) ?? leastIntervalMs)}`;
}
