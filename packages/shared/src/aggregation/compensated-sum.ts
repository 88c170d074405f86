/**
 * A float sum with Neumaier's running compensation: the error stays near one rounding however many values come and whatever
 * their order, so that a recount in another order agrees to far better than 1e-9. Source: A. Neumaier, ZAMM 54 (1974).
 */
export interface CompensatedSum {
  count: number;
  sum: number;
  compensation: number;
}

export function emptySum(): CompensatedSum {
  return { count: 0, sum: 0, compensation: 0 };
}

export function addToSum(state: CompensatedSum, value: number): CompensatedSum {
  state.count += 1;
  addTerm(state, value);
  return state;
}

/** Adds `from` to `into`; `from` stays as it is. */
export function mergeSums(into: CompensatedSum, from: CompensatedSum): CompensatedSum {
  into.count += from.count;
  addTerm(into, from.sum);
  into.compensation += from.compensation;
  return into;
}

/** The total; null when there is no value, or when it is beyond the range of a float64. */
export function totalOf(state: CompensatedSum): number | null {
  const total = state.sum + state.compensation;
  return state.count > 0 && Number.isFinite(total) ? total + 0 : null;
}

export function meanOf(state: CompensatedSum): number | null {
  const total = totalOf(state);
  return total === null ? null : total / state.count;
}

function addTerm(state: CompensatedSum, value: number): void {
  const next = state.sum + value;
  state.compensation += Math.abs(state.sum) >= Math.abs(value) ? state.sum - next + value : value - next + state.sum;
  state.sum = next;
}
