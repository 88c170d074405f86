import type { FeatureValue, Tombstone } from "../contracts/chunk.ts";

/**
 * What is stored of one feature in some records, and which record each row of a read is about. Columns, because a reply is
 * made of columns and an object a cell costs more than reading it; the store's arrays hold many features one after the other.
 */
export interface StoredColumn {
  /** undefined: the record has no such cell. */
  readonly values: readonly (FeatureValue | Tombstone | undefined)[];
  /** Epoch ms. */
  readonly eventTimes: ArrayLike<number>;
  /** Epoch ms beyond which nothing is known, Infinity for a cell without a schedule; null: no cell has one. */
  readonly untilMs: ArrayLike<number> | null;
  /** Place of the first record's cell in these three. */
  readonly offset: number;
  /** By record: epoch ms up to which view and partition are confirmed; −Infinity where they are not. */
  readonly confirmedAtMs: ArrayLike<number>;
  /** Row → record. */
  readonly records: ArrayLike<number>;
}

/** A stored cell as it is at the reader's instant. */
export interface CurrentCell {
  readonly value: FeatureValue | Tombstone;
  /** Epoch ms. */
  readonly eventTime: number;
  /** Epoch ms beyond which nothing is known; null without a schedule. */
  readonly untilMs: number | null;
}

/** Of cells one a row. */
export function columnOfCells(
  cells: readonly (CurrentCell | undefined)[],
  confirmedAtMs: readonly (number | undefined)[],
): StoredColumn {
  return {
    values: cells.map((cell) => cell?.value),
    eventTimes: cells.map((cell) => cell?.eventTime ?? 0),
    untilMs: cells.map((cell) => cell?.untilMs ?? Number.POSITIVE_INFINITY),
    offset: 0,
    confirmedAtMs: cells.map((_, row) => confirmedAtMs[row] ?? Number.NEGATIVE_INFINITY),
    records: cells.map((_, row) => row),
  };
}
