import { TributaryError } from "@tributary/shared/contracts/errors";

/** Lets at most `max` pieces of work in at a time. @throws TributaryError OVERLOADED at once above it */
export function createGate(max: number): <T>(work: () => Promise<T>) => Promise<T> {
  let inside = 0;
  return async (work) => {
    if (inside >= max) throw new TributaryError("OVERLOADED", `${max} reads are in hand already`);
    inside += 1;
    try {
      return await work();
    } finally {
      inside -= 1;
    }
  };
}
