/**
 * An event message on `events.<source>`: one event or an array of them, JSON or msgpack, told apart by the first byte
 * (`{`, `[` or white space is JSON; headers decide nothing, so that any program can publish). Fields by their declared names.
 * Timestamps are epoch milliseconds or RFC 3339 with a zone.
 */
export type EventRecord = Readonly<Record<string, unknown>>;

/** Where an event stands in the input (docs/internals/design.md §2). Compared as (incarnation, sequence, index) inside (source, shard). */
export interface Origin {
  readonly source: string;
  readonly shard: number;
  /** Creation time of TRIB_EVENTS, epoch ms. */
  readonly incarnation: number;
  readonly sequence: number;
  readonly index: number;
}

export type OriginPosition = Pick<Origin, "incarnation" | "sequence" | "index">;

export function compareOrigins(a: OriginPosition, b: OriginPosition): number {
  return a.incarnation - b.incarnation || a.sequence - b.sequence || a.index - b.index;
}
