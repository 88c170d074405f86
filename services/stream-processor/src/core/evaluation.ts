import { settle } from "@tributary/shared/aggregation/key-state";
import { windowRow } from "@tributary/shared/aggregation/row-schedule";
import { isForgotten } from "./id-reach.ts";
import type { KeyEntry, PartitionState } from "./partition-state.ts";
import { decideEmission, type Told } from "./row-emission.ts";
import type { RowToTell } from "./rows-chunk.ts";

/** Spans of the clock that depend on its rate, ms. */
export interface Lags {
  /** A schedule is told anew this long before it ends. */
  readonly marginMs: number;
  /** The clock may turn out to be this far behind what was seen of it, when it is paused. */
  readonly settleLagMs: number;
}

/** Real time: half again the usual time between two evaluations; what a change of the clock takes to arrive, with room. */
const marginRealMs = 300;
export const settleRealMs = 2_000;

export function lagsAt(rate: number): Lags {
  return { marginMs: Math.ceil(rate * marginRealMs), settleLagMs: Math.ceil(rate * settleRealMs) };
}

export interface Evaluation {
  readonly emit: readonly RowToTell[];
  readonly unchanged: readonly { readonly entry: KeyEntry; readonly told: Told }[];
  /** Their row of a later instant stands; they follow when the position has moved. */
  readonly waiting: readonly KeyEntry[];
  /** Nothing is left in any window, readers know it, and no id has to be remembered: the state may go. */
  readonly spent: readonly KeyEntry[];
}

/** Evaluates keys at `nowMs`. V3: the version is (greatest event time given, position, instant of evaluation). */
export function evaluate(
  state: PartitionState,
  entries: Iterable<KeyEntry>,
  { nowMs, lags }: { readonly nowMs: number; readonly lags: Lags },
): Evaluation {
  const emit: RowToTell[] = [];
  const unchanged: { entry: KeyEntry; told: Told }[] = [];
  const waiting: KeyEntry[] = [];
  const spent: KeyEntry[] = [];
  for (const entry of entries) {
    settle(entry.view.layout, entry.state, nowMs - lags.settleLagMs);
    entry.checkedMs = nowMs;
    const next = toldAt(state, entry, nowMs);
    const { kind } = decideEmission(entry, next, lags.marginMs);
    if (kind === "emit") emit.push({ entry, told: next });
    else if (kind === "wait") waiting.push(entry);
    else if (isForgotten(state, entry)) spent.push(entry);
    else unchanged.push({ entry, told: entry.told ?? next });
  }
  return { emit, unchanged, waiting, spent };
}

function toldAt(state: PartitionState, entry: KeyEntry, nowMs: number): Told {
  return {
    row: windowRow(entry.view.layout, entry.state, nowMs),
    version: {
      eventTime: entry.state.greatestEventMs,
      incarnation: state.incarnation,
      sequence: state.position,
      minor: nowMs,
    },
  };
}
