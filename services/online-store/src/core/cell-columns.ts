import type { FeatureValue, Tombstone } from "@tributary/shared/contracts/chunk";

/**
 * Cells of many records on their way from bytes to a reply: feature by feature, and of each one record after the other, because a
 * reply is made of columns. Three arrays for all of them: an object a cell costs more than decoding it, an array a feature half.
 */
export class CellColumns {
  readonly records: number;
  /** The cell of a place and record is at `place × records + record`; undefined where there is none. */
  readonly values: (FeatureValue | Tombstone | undefined)[];
  /** Epoch ms. */
  readonly eventTimes: Float64Array;
  /** Epoch ms beyond which nothing is known, Infinity for a cell without a schedule; null: there is no schedule. */
  untilMs: Float64Array | null = null;

  /** The record whose cells `put` takes. */
  record = 0;

  constructor(places: number, records: number) {
    this.records = records;
    this.values = new Array(places * records).fill(undefined);
    this.eventTimes = new Float64Array(places * records);
  }

  /** @param eventTime epoch ms */
  put(place: number, value: FeatureValue | Tombstone, eventTime: number): void {
    const at = place * this.records + this.record;
    this.values[at] = value;
    this.eventTimes[at] = eventTime;
  }

  /** Of a cell that has a schedule, which few have. */
  putUntil(place: number, untilMs: number): void {
    this.untilMs ??= new Float64Array(this.values.length).fill(Number.POSITIVE_INFINITY);
    this.untilMs[place * this.records + this.record] = untilMs;
  }
}
