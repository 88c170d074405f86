import type { FeatureValue, Tombstone } from "@tributary/shared/contracts/chunk";
import type { CellArrays } from "@tributary/shared/merge/stored-column";

/**
 * Cells of many records on their way from bytes to a reply: feature by feature, and of each one record after the other, because a
 * reply is made of columns. A few arrays for all of them: an object a cell costs more than decoding it, an array a feature half,
 * and numbers among other values are an object each as soon as one has a fraction.
 */
export class CellColumns implements CellArrays {
  readonly records: number;
  /** The cell of a place and record is at `place × records + record`; NaN: it is no number, see `others`. */
  readonly numbers: Float64Array;
  /** Undefined where there is no cell, or a number; null: there are no others. */
  others: (FeatureValue | Tombstone | undefined)[] | null = null;
  /** Epoch ms. */
  readonly eventTimes: Float64Array;
  /** Epoch ms beyond which nothing is known, Infinity for a cell without a schedule; null: there is no schedule. */
  untilMs: Float64Array | null = null;

  constructor(places: number, records: number) {
    this.records = records;
    this.numbers = new Float64Array(places * records).fill(Number.NaN);
    this.eventTimes = new Float64Array(places * records);
  }

  /** @param eventTime epoch ms */
  put(at: number, value: FeatureValue | Tombstone, eventTime: number): void {
    this.eventTimes[at] = eventTime;
    if (typeof value === "number") this.numbers[at] = value;
    else this.putOther(at, value);
  }

  putOther(at: number, value: FeatureValue | Tombstone): void {
    this.others ??= new Array(this.numbers.length).fill(undefined);
    this.others[at] = value;
  }

  /** Of a cell that has a schedule, which few have. */
  putUntil(at: number, untilMs: number): void {
    this.untilMs ??= new Float64Array(this.numbers.length).fill(Number.POSITIVE_INFINITY);
    this.untilMs[at] = untilMs;
  }
}
