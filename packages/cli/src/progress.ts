import { progressText, type Step } from "./progress-text.ts";
import type { Terminal } from "./world.ts";

/** Tells of long work: on a terminal one line that changes, elsewhere a line now and then. */
export interface Progress {
  update(step: Step): void;
  /** Takes the changing line away, before something else is printed. */
  clear(): void;
}

export const silentProgress: Progress = { update: () => undefined, clear: () => undefined };

const redrawMs = 100;
const lineMs = 5_000;
const clearLine = "\r\u001b[K";

/** `now` in ms, from any beginning. */
export function createProgress(terminal: Terminal, now: () => number): Progress {
  const live = terminal.isTTY === true;
  let begun = { what: "", atMs: 0, done: 0 };
  let toldMs = Number.NEGATIVE_INFINITY;
  let drawn = false;
  const clear = () => {
    if (drawn) terminal.write(clearLine);
    drawn = false;
  };
  const update = (step: Step) => {
    const nowMs = now();
    const isNew = step.what !== begun.what;
    if (isNew) begun = { what: step.what, atMs: nowMs, done: step.done ?? 0 };
    if (!isNew && nowMs - toldMs < (live ? redrawMs : lineMs)) return;
    toldMs = nowMs;
    const text = progressText(step, (step.done ?? 0) - begun.done, nowMs - begun.atMs);
    if (live) terminal.write(`${clearLine}${text.slice(0, (terminal.columns ?? 80) - 1)}`);
    else terminal.write(`${text}\n`);
    drawn = live;
  };
  return { update, clear };
}
