import { TributaryError } from "../contracts/errors.ts";

/** Lets at most `max` pieces of work in at a time; `what` names them. @throws TributaryError OVERLOADED at once above it */
export function createGate(max: number, what: string): <T>(work: () => Promise<T>) => Promise<T> {
  let inside = 0;
  return async (work) => {
    if (inside >= max) throw new TributaryError("OVERLOADED", `${max} ${what} are in hand already`);
    inside += 1;
    try {
      return await work();
    } finally {
      inside -= 1;
    }
  };
}
