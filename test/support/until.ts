import { setTimeout as wait } from "node:timers/promises";

const pollMs = 20;

/**
 * Asks again and again until the answer is neither undefined nor false, and returns it; a throw is an answer "not yet".
 * @throws Error after `timeoutMs` (default 100,000: a machine may stop for many seconds), with what the last try threw as its cause
 */
export async function until<T>(
  check: () => T | undefined | false | Promise<T | undefined | false>,
  options: { readonly timeoutMs?: number; readonly what?: string } = {},
): Promise<T> {
  const timeoutMs = options.timeoutMs ?? 100_000;
  const deadline = performance.now() + timeoutMs;
  let lastError: unknown;
  do {
    try {
      const answer = await check();
      if (answer !== undefined && answer !== false) return answer;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    await wait(pollMs);
  } while (performance.now() < deadline);
  const what = options.what ?? check.toString().slice(0, 200);
  throw new Error(`not within ${timeoutMs} ms: ${what}`, { cause: lastError });
}
