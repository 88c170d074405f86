import type { Aggregation, StreamView } from "../contracts/catalog.ts";
import { type CompensatedSum, meanOf, totalOf } from "./compensated-sum.ts";
import type { PartialKind, PartialState } from "./partial-state.ts";
import { type QuantileSketch, quantileOf } from "./quantile-sketch.ts";

/** What a stream view aggregates, decided once: which partial states a tile holds, and how features come out of them. */
export interface WindowLayout {
  readonly hopMs: number;
  /** Lengths, in the view's order. */
  readonly windowsMs: readonly number[];
  readonly longestMs: number;
  /** Fields of an event that are aggregated; an event's values stand in this order. */
  readonly fields: readonly string[];
  readonly slots: readonly Slot[];
  /** Windows inside aggregations, as the view's features. */
  readonly features: readonly WindowedFeature[];
  /** Equal layouts share stored states. */
  readonly fingerprint: string;
}

/** One partial state in each tile. `field`: index into `fields`, or −1: every event counts. */
export interface Slot {
  readonly kind: PartialKind;
  readonly field: number;
}

export interface WindowedFeature {
  readonly name: string;
  readonly window: number;
  readonly slot: number;
  readonly finalize: (state: PartialState) => number | null;
}

type LayoutSource = Pick<StreamView, "windows" | "hopMs" | "aggregations">;

export function windowLayout(view: LayoutSource): WindowLayout {
  const fields = [...new Set(view.aggregations.flatMap(({ field }) => field ?? []))];
  const slots: Slot[] = [];
  const slotOf = (wanted: Slot): number => {
    const found = slots.findIndex((slot) => slot.kind === wanted.kind && slot.field === wanted.field);
    return found >= 0 ? found : slots.push(wanted) - 1;
  };
  const features = view.aggregations.flatMap((aggregation) => {
    const field = aggregation.field === undefined ? -1 : fields.indexOf(aggregation.field);
    const slot = slotOf({ kind: kindOf(aggregation), field });
    const finalize = finalizer(aggregation);
    return view.windows.map(({ name }, window) => ({ name: `${aggregation.name}_${name}`, window, slot, finalize }));
  });
  const windowsMs = view.windows.map(({ ms }) => ms);
  return {
    hopMs: view.hopMs,
    windowsMs,
    longestMs: Math.max(...windowsMs),
    fields,
    slots,
    features,
    fingerprint: fingerprintOf(view.hopMs, fields, slots),
  };
}

/** States depend on tile length, fields and slots; windows and percentiles may differ. */
function fingerprintOf(hopMs: number, fields: readonly string[], slots: readonly Slot[]): string {
  return [hopMs, ...slots.map(({ kind, field }) => `${kind}:${fields[field] ?? "*"}`)].join(",");
}

function kindOf({ op }: Aggregation): PartialKind {
  if (op === "mean") return "sum";
  return op === "percentile" ? "sketch" : op;
}

function finalizer({ op, quantile }: Aggregation): WindowedFeature["finalize"] {
  switch (op) {
    case "count":
    case "min":
    case "max":
      return (state) => state as number | null;
    case "sum":
      return (state) => totalOf(state as CompensatedSum);
    case "mean":
      return (state) => meanOf(state as CompensatedSum);
    case "percentile":
      return (state) => quantileOf(state as QuantileSketch, quantile ?? 0.5);
    default:
      return op satisfies never;
  }
}

/** Greatest multiple of `stepMs` that is not above `instantMs`; also for instants before 1970. */
export function floorTo(instantMs: number, stepMs: number): number {
  return Math.floor(instantMs / stepMs) * stepMs;
}
