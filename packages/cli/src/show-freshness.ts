import {
  type DurationHistogram,
  durationBounds,
  durationQuantile,
} from "@tributary/shared/contracts/duration-histogram";
import type { ViewFreshness } from "@tributary/shared/contracts/freshness";
import type { Colors } from "./colors.ts";
import { formatMs } from "./table.ts";

/** A line a view: what it promises, how often it was kept, ages at read, and how long rows take to be readable. */
export function freshnessRows(views: readonly ViewFreshness[], colors: Colors): readonly (readonly string[])[] {
  if (views.length === 0) return [];
  const header = ["view", "lane", "freshness", "met", "age p50", "age p99", "publish to readable p50", "p99"];
  return [header, ...views.map((view) => rowOf(view, colors))];
}

function rowOf(view: ViewFreshness, colors: Colors): readonly string[] {
  const { lane, freshnessMs, ages, latencies } = view;
  return [
    view.view,
    lane,
    formatMs(freshnessMs),
    metShare(view, colors),
    ...[ages, latencies].flatMap((one) => [quantile(one, 0.5), quantile(one, 0.99)]),
  ];
}

/** Of what was there; a share that is not whole is never shown as 100 %. */
function metShare({ met, missed, absent }: ViewFreshness, colors: Colors): string {
  if (met + missed === 0) return absent === 0 ? "not read" : "nothing stored";
  if (missed === 0) return "100 %";
  const share = Math.min(99.9, Math.floor((1_000 * met) / (met + missed)) / 10);
  return colors.red(`${share} %`);
}

/** Bounds of buckets, and said to be so. */
function quantile(histogram: DurationHistogram, at: number): string {
  const ms = durationQuantile(histogram, at);
  if (ms === undefined) return "-";
  return ms === Number.POSITIVE_INFINITY ? `> ${formatMs(durationBounds.at(-1) ?? 0)}` : `<= ${formatMs(ms)}`;
}
