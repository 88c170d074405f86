import { formatMs } from "./table.ts";

/** How far something has come. */
export interface Step {
  /** The thing and what happens to it: `route_profile: publishing`. A new text begins a new rate. */
  readonly what: string;
  /** Undefined for a step that does not count. */
  readonly done?: number;
  /** Undefined while input is still being read. */
  readonly total?: number;
  /** Of `done` and `total`, in the plural. */
  readonly unit?: string;
}

/** Below it a rate is noise. */
const rateMsLeast = 1_000;

/** `route_profile: publishing 12 of 32 rows, 4/s, 5 s left`, when `doneSince` of them were done in `elapsedMs`. */
export function progressText(step: Step, doneSince: number, elapsedMs: number): string {
  const { what, done, total, unit } = step;
  if (done === undefined) return what;
  const count = total === undefined ? format(done) : `${format(done)} of ${format(total)}`;
  const counted = [what, count, unit].filter(Boolean).join(" ");
  if (elapsedMs < rateMsLeast || doneSince <= 0) return counted;
  const perSecond = (doneSince / elapsedMs) * 1_000;
  const left = total === undefined || done >= total ? [] : [leftText(total - done, perSecond)];
  return [counted, `${format(perSecond)}/s`, ...left].join(", ");
}

function leftText(count: number, perSecond: number): string {
  return `${formatMs(Math.max(1_000, (count / perSecond) * 1_000))} left`;
}

/** Two digits are enough for a small rate. */
function format(value: number): string {
  return value < 10 && !Number.isInteger(value) ? value.toFixed(1) : Math.round(value).toLocaleString("en");
}
