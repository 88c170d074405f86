import { formatMs } from "./table.ts";

/** How far something has come. */
export interface Step {
  /** The thing and what happens to it: `route_profile: publishing`. A new text begins a new rate. */
  readonly what: string;
  readonly done: number;
  /** Unknown while input is still being read. */
  readonly total?: number;
  /** Of `done` and `total`, in the plural. */
  readonly unit: string;
}

/** Below it a rate is noise. */
const rateMsLeast = 1_000;

/** `route_profile: publishing 12 of 32 partitions, 4/s, 5 s left`; `doneSince` of them in the last `elapsedMs`. */
export function progressText({ what, done, total, unit }: Step, doneSince: number, elapsedMs: number): string {
  const count = total === undefined ? format(done) : `${format(done)} of ${format(total)}`;
  const isKnown = elapsedMs >= rateMsLeast && doneSince > 0;
  const perSecond = (doneSince / elapsedMs) * 1_000;
  const rate = isKnown ? [`${format(perSecond)}/s`] : [];
  const left = total === undefined || !isKnown || done >= total ? [] : [leftText(total - done, perSecond)];
  return [`${what} ${count} ${unit}`, ...rate, ...left].join(", ");
}

function leftText(count: number, perSecond: number): string {
  return `${formatMs(Math.max(1_000, (count / perSecond) * 1_000))} left`;
}

/** Two digits are enough for a small rate. */
function format(value: number): string {
  return value < 10 && !Number.isInteger(value) ? value.toFixed(1) : Math.round(value).toLocaleString("en");
}
