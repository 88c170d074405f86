import type { RowSchedule, ScheduleStep } from "../contracts/chunk.ts";
import { limits } from "../contracts/limits.ts";
import type { KeyState } from "./key-state.ts";
import { floorTo, type WindowLayout } from "./window-layout.ts";
import { type WindowValues, windowValuesAt } from "./window-values.ts";

/**
 * A row knows its future: its values now, and what they become as events enter (their time passes) and tiles leave, if no
 * further event comes. Only the instants at which a value really changes become steps (L2).
 */
export interface WindowRow {
  readonly values: WindowValues;
  readonly schedule: RowSchedule;
}

/** `untilMs` of a schedule after which nothing is left to change: the end of the year 9999, which every part can store. */
export const foreverMs = 253_402_300_799_999;

/** Instants looked at for one schedule; some change nothing (a maximum that stays). */
const instantsMax = 3 * limits.scheduleStepsMax;

export function windowRow(layout: WindowLayout, state: KeyState, nowMs: number): WindowRow {
  const upcoming = changeInstants(layout, state, nowMs, instantsMax + 1);
  const looked = upcoming.slice(0, instantsMax);
  const all = windowValuesAt(layout, state, [nowMs, ...looked]);
  const steps: ScheduleStep[] = [];
  let last = all[0] as WindowValues;
  for (let i = 0; i < looked.length; i++) {
    const values = all[i + 1] as WindowValues;
    const changes = differences(last, values);
    if (changes.length === 0) continue;
    if (steps.length === limits.scheduleStepsMax) return row(all, steps, (looked[i] as number) - 1);
    steps.push({ atMs: looked[i] as number, changes });
    last = values;
  }
  const beyond = upcoming[instantsMax];
  return row(all, steps, beyond === undefined ? foreverMs : beyond - 1);
}

function row(all: readonly WindowValues[], steps: ScheduleStep[], untilMs: number): WindowRow {
  return { values: all[0] as WindowValues, schedule: { untilMs, steps } };
}

function differences(before: WindowValues, after: WindowValues): [number, number | null][] {
  const changes: [number, number | null][] = [];
  for (let i = 0; i < after.length; i++) {
    const value = after[i] as number | null;
    if (!Object.is(value, before[i])) changes.push([i, value]);
  }
  return changes;
}

/** The earliest instants after `nowMs` at which an event enters or a tile leaves a window; ascending, at most `count`. */
function changeInstants(layout: WindowLayout, state: KeyState, nowMs: number, count: number): number[] {
  const instants = new Set<number>();
  const starts = state.tiles.map((tile) => tile.startMs);
  for (const { timeMs } of state.recent) {
    if (timeMs >= nowMs) instants.add(timeMs + 1);
    starts.push(floorTo(timeMs, layout.hopMs));
  }
  starts.sort((a, b) => a - b);
  for (const windowMs of layout.windowsMs)
    addExits(instants, starts, { nowMs, lifeMs: layout.hopMs + windowMs, count });
  return [...instants].sort((a, b) => a - b).slice(0, count);
}

/** Adds when the tiles leave a window, the next `count` of them. */
function addExits(
  instants: Set<number>,
  starts: readonly number[],
  { nowMs, lifeMs, count }: { nowMs: number; lifeMs: number; count: number },
): void {
  let added = 0;
  let last = Number.NaN;
  for (const start of starts) {
    if (start + lifeMs <= nowMs || start === last) continue;
    last = start;
    instants.add(start + lifeMs);
    if (++added === count) return;
  }
}
