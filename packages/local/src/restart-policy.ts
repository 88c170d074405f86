/**
 * When a process that died may start again: soon after the first death, then later and later, at most five seconds;
 * too many deaths within a minute end it. Whoever lived half a minute starts afresh. Times are real ms from any origin.
 */
export interface RestartPolicy {
  readonly deaths: readonly number[];
  /** Deaths in a row without half a minute of life between them. */
  readonly inARow: number;
}

export const noDeaths: RestartPolicy = { deaths: [], inARow: 0 };

const minuteMs = 60_000;
const longLifeMs = 30_000;
const waitMsFirst = 100;
const waitMsMax = 5_000;

export function afterDeath(policy: RestartPolicy, life: { readonly bornMs: number; readonly diedMs: number }) {
  const deaths = [...policy.deaths.filter((death) => life.diedMs - death < minuteMs), life.diedMs];
  const inARow = life.diedMs - life.bornMs >= longLifeMs ? 1 : policy.inARow + 1;
  return { deaths, inARow } satisfies RestartPolicy;
}

/** Ms to wait before the next start; undefined = give up. */
export function waitMs(policy: RestartPolicy, deathsPerMinuteMax: number): number | undefined {
  if (policy.deaths.length > deathsPerMinuteMax) return undefined;
  return Math.min(waitMsMax, waitMsFirst * 2 ** Math.max(0, policy.inARow - 1));
}
