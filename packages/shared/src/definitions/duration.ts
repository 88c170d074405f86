const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `"500ms"`, `"10s"`, `"15m"`, `"4h"`, `"28d"`. */
export type Duration = `${number}${keyof typeof units}`;

/** Milliseconds of a duration; undefined when it is not one. */
export function durationMs(duration: string): number | undefined {
  const match = /^(\d+)(ms|s|m|h|d)$/.exec(duration);
  if (!match) return undefined;
  const ms = Number(match[1]) * units[match[2] as keyof typeof units];
  return Number.isSafeInteger(ms) && ms > 0 ? ms : undefined;
}
