import type { FeatureValue, Tombstone } from "../contracts/chunk.ts";

/** Cells of many features one after the other. */
export interface CellArrays {
  /** NaN: no number, see `others`. */
  readonly numbers: Float64Array;
  /** Undefined: there is no such cell, or it is a number; null: no cell is anything but a number. */
  readonly others: ArrayLike<FeatureValue | Tombstone | undefined> | null;
  /** Epoch ms. */
  readonly eventTimes: ArrayLike<number>;
  /** Epoch ms beyond which nothing is known, Infinity for a cell without a schedule; null: no cell has one. */
  readonly untilMs: ArrayLike<number> | null;
}

/**
 * What is stored of one feature in some records, and which record each row of a read is about. Columns, because a reply is
 * made of columns and an object a cell costs more than reading it.
 */
export interface StoredColumn extends CellArrays {
  /** Place of the first record's cell in the arrays. */
  readonly offset: number;
  /** By record: epoch ms up to which view and partition are confirmed; −Infinity where they are not. */
  readonly confirmedAtMs: ArrayLike<number>;
  /** Row → record; records are numbered as rows first name them, and there is none that no row names. */
  readonly records: ArrayLike<number>;
}

/** The value at a place of the arrays; undefined: there is none. */
export function valueAt({ numbers, others }: CellArrays, at: number): FeatureValue | Tombstone | undefined {
  const number = numbers[at] as number;
  return Number.isNaN(number) ? others?.[at] : number;
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
    numbers: Float64Array.from(cells, (cell) => (typeof cell?.value === "number" ? cell.value : Number.NaN)),
    others: cells.map((cell) => cell?.value),
    eventTimes: cells.map((cell) => cell?.eventTime ?? 0),
    untilMs: cells.map((cell) => cell?.untilMs ?? Number.POSITIVE_INFINITY),
    offset: 0,
    confirmedAtMs: cells.map((_, row) => confirmedAtMs[row] ?? Number.NEGATIVE_INFINITY),
    records: cells.map((_, row) => row),
  };
}
