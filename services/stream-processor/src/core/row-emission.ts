import { foreverMs, type WindowRow } from "@tributary/shared/aggregation/row-schedule";
import type { ScheduleStep } from "@tributary/shared/contracts/chunk";
import { compareVersions, type Version } from "@tributary/shared/contracts/version";

/** What an acknowledged row told readers, and under which version. */
export interface Told {
  readonly row: WindowRow;
  readonly version: Version;
}

export type Emission =
  /** Readers know it all already. */
  | { readonly kind: "unchanged" }
  /** The clock was seen ahead of where it is now, and a row of that instant stands: emit once the position has moved. */
  | { readonly kind: "wait" }
  | { readonly kind: "emit" };

/** What is known of a key's rows: the one acknowledged last, if readers surely see it, and the newest version ever sent. */
export interface Published {
  readonly told: Told | undefined;
  readonly sent: Version | undefined;
}

/**
 * Whether a key's row, evaluated at `version.minor`, has to be published: when the values or the schedule told before are
 * wrong, or when what was told ends within `marginMs` and more is known now.
 */
export function decideEmission({ told, sent }: Published, next: Told, marginMs: number): Emission {
  if (told !== undefined && !endsSoon(told, next, marginMs) && readsSame(told.row, next.row, next.version.minor))
    return { kind: "unchanged" };
  // Of an equal version the values are equal: it is sent again when its acknowledgement was lost.
  const isBeaten = sent !== undefined && compareVersions(next.version, sent) < 0;
  return isBeaten ? { kind: "wait" } : { kind: "emit" };
}

function endsSoon(told: Told, next: Told, marginMs: number): boolean {
  const ends = told.row.schedule.untilMs;
  return ends < next.version.minor + marginMs && ends < next.row.schedule.untilMs;
}

/** True when readers of `told` see, from `nowMs` to its end, what readers of `next` see. */
function readsSame(told: WindowRow, next: WindowRow, nowMs: number): boolean {
  const { untilMs, steps } = told.schedule;
  if (untilMs < nowMs) return false;
  const values = [...told.values];
  for (const step of steps)
    if (step.atMs <= nowMs) for (const [column, value] of step.changes) values[column] = value as number | null;
  if (!values.every((value, i) => Object.is(value, next.values[i]))) return false;
  const ahead = steps.filter((step) => step.atMs > nowMs);
  const expected = next.schedule.steps.filter((step) => step.atMs <= untilMs);
  return ahead.length === expected.length && ahead.every((step, i) => isSameStep(step, expected[i] as ScheduleStep));
}

function isSameStep(a: ScheduleStep, b: ScheduleStep): boolean {
  return (
    a.atMs === b.atMs &&
    a.changes.length === b.changes.length &&
    a.changes.every(([column, value], i) => column === b.changes[i]?.[0] && Object.is(value, b.changes[i]?.[1]))
  );
}

/**
 * When the key has to be looked at again if no event comes: shortly before its schedule ends, but not before a step has
 * passed (more is not known earlier); a key with nothing left to change, when its last step is `settleLagMs` past.
 * Counted from the instant at which the key was last looked at, never from the clock: on a clock that has jumped past the
 * schedule's end and stands still, "a moment from now" would never come.
 */
export function nextDueMs(row: WindowRow, seenMs: number, lags: { marginMs: number; settleLagMs: number }): number {
  const { untilMs, steps } = row.schedule;
  if (untilMs === foreverMs) return Math.max((steps.at(-1)?.atMs ?? seenMs) + lags.settleLagMs, seenMs + 1);
  const firstStep = steps.find((step) => step.atMs > seenMs)?.atMs ?? untilMs + 1;
  return Math.max(untilMs - lags.marginMs, firstStep, seenMs + 1);
}
