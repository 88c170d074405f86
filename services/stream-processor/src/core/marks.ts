import type { StreamView } from "@tributary/shared/contracts/catalog";
import type { PartitionState } from "./partition-state.ts";

/** How far a partition's input has been read, as its marks and events tell. Nothing here goes back. */
export function seriesName(source: string, shard: number, entity: string): string {
  return `${source}/${shard}/${entity}`;
}

/** Everything of the series that arrived up to `markMs` stands before here (C1). */
export function takeMark(state: PartitionState, series: string, source: string, markMs: number): void {
  state.marks.set(series, Math.max(markMs, state.marks.get(series) ?? Number.NEGATIVE_INFINITY));
  advanceWatermark(state, source, markMs);
}

/** Event time has provably advanced to `provenMs`, less what may still come out of order. */
export function advanceWatermark(state: PartitionState, source: string, provenMs: number): void {
  const declared = state.catalog.sources[source];
  const disorderMs = declared?.kind === "event" ? declared.disorderMs : 0;
  const before = state.watermarks.get(source) ?? Number.NEGATIVE_INFINITY;
  state.watermarks.set(source, Math.max(before, provenMs - disorderMs));
}

/** Up to where every shard of the view's source has been read for its entity (C2); undefined: some shard not at all. */
export function leastMark(state: PartitionState, view: StreamView): number | undefined {
  const source = state.catalog.sources[view.source];
  const shards = source?.kind === "event" ? source.shards : 0;
  let least: number | undefined;
  for (let shard = 0; shard < shards; shard++) {
    const mark = state.marks.get(seriesName(view.source, shard, view.entity));
    if (mark === undefined) return undefined;
    least = Math.min(mark, least ?? mark);
  }
  return least;
}
