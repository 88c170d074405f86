const everyMs = { terminal: 200, other: 5_000 };

export interface ProgressLine {
  show(done: number): void;
  end(): void;
}

/** How far it is, how fast, and how long it will take, on standard error: one line that is written over on a terminal, else now and then one. */
export function progressLine(what: {
  readonly name: string;
  readonly unit: string;
  readonly count: number;
}): ProgressLine {
  const isTerminal = process.stderr.isTTY === true;
  const startMs = performance.now();
  let shownMs = startMs;
  return {
    show: (done) => {
      const nowMs = performance.now();
      if (nowMs - shownMs < (isTerminal ? everyMs.terminal : everyMs.other)) return;
      shownMs = nowMs;
      const text = progressText(what, done, nowMs - startMs);
      process.stderr.write(isTerminal ? `\r${text}\u001b[K` : `${text}\n`);
    },
    end: () => {
      if (isTerminal) process.stderr.write("\r\u001b[K");
    },
  };
}

export function progressText(
  { name, unit, count }: { readonly name: string; readonly unit: string; readonly count: number },
  done: number,
  elapsedMs: number,
): string {
  const perSecond = done / (elapsedMs / 1_000);
  const left = done === 0 ? "" : `, ${Math.ceil((count - done) / perSecond)} s left`;
  return `${name}: ${done} of ${count} ${unit}, ${perSecond.toPrecision(3)}/s${left}`;
}
