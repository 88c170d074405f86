import type { ReadColumn, ReadReply } from "@tributary/shared/contracts/read";
import { isShownAsStored, viewNumbers } from "@tributary/shared/merge/read-view";
import type { StoredColumn } from "@tributary/shared/merge/stored-column";
import type { PlannedCell, PlannedColumn } from "./read-plan.ts";

/** A column of a reply that shows only numbers and nulls, before it is encoded. */
export interface NumberColumn {
  readonly name: string;
  /** Those of other columns too; NaN stands for null. */
  readonly numbers: Float64Array;
  /** Place of the first row's. */
  readonly from: number;
  readonly rows: number;
}

export type AnsweredColumn = ReadColumn | NumberColumn;

/** A reply before it is encoded. */
export interface AnsweredReply extends Omit<ReadReply, "columns"> {
  readonly columns: readonly AnsweredColumn[];
}

export function isNumberColumn(column: AnsweredColumn): column is NumberColumn {
  return "numbers" in column;
}

/** The columns of numbers of one reply, those that are not as stored in one array: an array a column costs more than filling it. */
export class NumberColumns {
  readonly #size: number;
  #numbers: Float64Array | undefined;
  #from = 0;

  /** @param values of all columns of the reply */
  constructor(values: number) {
    this.#size = values;
  }

  /** Undefined of a column that has layers, or that shows anything but numbers and nulls. */
  build(column: PlannedColumn, storedOf: (cell: PlannedCell) => StoredColumn, nowMs: number): NumberColumn | undefined {
    if (column.over.length > 0) return undefined;
    const { name } = column;
    const stored = storedOf(column);
    const rows = stored.records.length;
    if (isShownAsStored(column, stored)) return { name, numbers: stored.numbers, from: stored.offset, rows };
    this.#numbers ??= new Float64Array(this.#size);
    const from = this.#from;
    if (!viewNumbers(column, stored, { nowMs, into: this.#numbers, from })) return undefined;
    this.#from += rows;
    return { name, numbers: this.#numbers, from, rows };
  }
}
