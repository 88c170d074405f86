import type { Lane } from "./catalog.ts";
import type { ClockRecord } from "./clock.ts";

/**
 * A chunk: many rows of one view and one partition in one message of `TRIB_ROWS_*`, or a confirmation behind them.
 * In memory it is columnar; `codec/chunk-codec.ts` turns it into bytes and back.
 *
 * Format history
 *   1  first form: presence bitmap, tombstone bitmap, stamps, run and ordinal, owner fence, schedule, trace context
 */
export const chunkFormat = 1;

/** A cell that its lane has withdrawn. It has a version like a value, and beats a value of equal version. */
export const tombstone: unique symbol = Symbol.for("tributary.tombstone");
export type Tombstone = typeof tombstone;

/**
 * A feature's value as it travels and is stored. timestamp: epoch ms · date: days since 1970 · bytes: Uint8Array ·
 * vector: Uint8Array of little-endian float32 · int64: number when safe, else bigint · json: any JSON value.
 */
export type FeatureValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly FeatureValue[]
  | { readonly [key: string]: FeatureValue };

/** `undefined`: this row does not carry the feature (its cell stays). `null`: the value is NULL. */
export type ChunkCell = FeatureValue | Tombstone | undefined;

export interface ChunkColumn {
  readonly feature: string;
  /** One cell a row. */
  readonly cells: readonly ChunkCell[];
}

/** What a row's values will be if no further event comes: the changes, and the instant past which nothing is known. */
export interface RowSchedule {
  /** Epoch ms; a reader past it answers `fresh: false`. */
  readonly untilMs: number;
  readonly steps: readonly ScheduleStep[];
}

export interface ScheduleStep {
  /** Epoch ms from which the values hold. */
  readonly atMs: number;
  /** Index into the chunk's columns → value from then on. */
  readonly changes: readonly (readonly [column: number, value: FeatureValue])[];
}

interface ChunkHeader {
  readonly lane: Lane;
  readonly view: string;
  readonly viewVersion: number;
  readonly catalogVersion: number;
  readonly partition: number;
  /** The publishing process's instance name. */
  readonly producer: string;
  /** W3C traceparent. */
  readonly trace?: string;
}

export interface RowsChunk extends ChunkHeader {
  readonly kind: "rows";
  /** Batch: ledger run number and the chunk's place in the run. */
  readonly run?: { readonly number: number; readonly ordinal: number };
  /** Stream: the owner's fence. */
  readonly fence?: number;
  /** Direct: the clock through which the broker's timestamp is read where the producer gave no event time. */
  readonly clock?: ClockRecord;
  /** A key may stand in several rows, with different versions. */
  readonly keys: readonly string[];
  /** Epoch ms; null = the broker's timestamp of the message (direct lane only). */
  readonly eventTimes: readonly (number | null)[];
  /** Absent = (incarnation and sequence of this message in its stream; row index). Present: batch, stream, republish. */
  readonly stamps?: ChunkStamps;
  readonly columns: readonly ChunkColumn[];
  /** One entry a row. */
  readonly schedules?: readonly (RowSchedule | null)[];
}

export interface ChunkStamps {
  readonly incarnations: readonly number[];
  readonly sequences: readonly number[];
  readonly minors: readonly number[];
}

/**
 * "Unchanged is not unknown": everything this view and partition held up to `confirmedAtMs` is still so.
 * Counts only once everything before it in the stream is applied and no hold lies below it (C4).
 */
export interface ConfirmationChunk extends ChunkHeader {
  readonly kind: "confirm";
  /** Batch: the interval's end. Stream: the least mark the owner has read. Epoch ms. */
  readonly confirmedAtMs: number;
  /**
   * Behind a republish: all that the view and partition hold has been sent again before this, so that once it counts by the
   * floor alone no hold below it concerns them any more. `confirmedAtMs` is 0 where it confirms nothing. Unknown to older
   * stores, which take it for any other confirmation.
   */
  readonly whole?: true;
  /**
   * With `whole`: the least sequence of the lane's stream at which one of the rows sent again stands. What goes missing from there
   * on is missing of them, so it is not lifted. Absent: there were no rows to send.
   */
  readonly since?: number;
  readonly run?: { readonly number: number; readonly ordinal: number };
  readonly fence?: number;
}

export type Chunk = RowsChunk | ConfirmationChunk;
