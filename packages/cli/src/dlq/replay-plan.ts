import type { RowsChunk } from "@tributary/shared/contracts/chunk";
import { clockAt, ordinaryClock } from "@tributary/shared/contracts/clock";
import { TributaryError } from "@tributary/shared/contracts/errors";

/** What is known of the message that was set aside: its place, in the stream as it is now, and when the broker stored it. */
export interface OriginalMessage {
  /** Creation time of the stream, epoch ms. Undefined: the stream was made again since. */
  readonly incarnation: number | undefined;
  readonly sequence: number;
  /** Undefined: the message is no longer in the stream. */
  readonly timestampMs: number | undefined;
}

/**
 * A rows chunk as it must be published again: with the version it had (V5). Where chunk and original do not tell it, the
 * replay is refused: a guess could beat what was written since, or lose against what was written before.
 * @throws TributaryError HISTORY_LOST, MALFORMED
 */
export function withOriginalVersions(chunk: RowsChunk, original: OriginalMessage): RowsChunk {
  const { lane, keys } = chunk;
  const isComplete = chunk.stamps !== undefined && !chunk.eventTimes.includes(null);
  if (isComplete) return chunk;
  if (lane !== "direct") {
    throw new TributaryError(
      "MALFORMED",
      `a chunk of the ${lane} lane carries no versions; republish the view instead`,
    );
  }
  const eventTimes = chunk.eventTimes.map((time) => time ?? brokerTime(chunk, original));
  if (chunk.stamps !== undefined) return { ...chunk, eventTimes };
  const { incarnation, sequence } = original;
  if (incarnation === undefined) {
    throw new TributaryError(
      "HISTORY_LOST",
      `its stream was made again since, so the version that sequence ${sequence} had cannot be told; write the rows again`,
    );
  }
  const everyRow = <T>(value: T) => new Array<T>(keys.length).fill(value);
  const stamps = { incarnations: everyRow(incarnation), sequences: everyRow(sequence), minors: [...keys.keys()] };
  return { ...chunk, eventTimes, stamps };
}

/** V4: the broker's time of the original, through the clock that the chunk names. */
function brokerTime({ clock }: RowsChunk, { timestampMs, sequence }: OriginalMessage): number {
  if (timestampMs !== undefined) return clockAt(clock ?? ordinaryClock, timestampMs);
  throw new TributaryError(
    "HISTORY_LOST",
    `rows without an event time take the broker's, and message ${sequence} is no longer in its stream; write the rows again`,
  );
}
