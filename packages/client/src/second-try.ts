/** The part of the deadline after which an answer is asked for a second time. */
const secondAfter = 0.5;

/**
 * An answer to what may be asked twice. Where none has come after half of the time the question is sent once more, in the hope of
 * another instance: the one that had it may have died with it, which nobody tells. The first answer of the two counts, also one
 * that says no; so a crash costs a late answer, and a store that is slow twice the work for the slowest.
 * @param ask gets the ms that are left
 * @throws what the first answer to come throws
 */
export function withSecondTry<T>(timeoutMs: number, ask: (leftMs: number) => Promise<T>): Promise<T> {
  const afterMs = Math.floor(timeoutMs * secondAfter);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      ask(timeoutMs - afterMs).then(resolve, reject);
    }, afterMs);
    const isOver = () => clearTimeout(timer);
    const first = ask(timeoutMs);
    first.then(resolve, reject);
    first.then(isOver, isOver);
  });
}
