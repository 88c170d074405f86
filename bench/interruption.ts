import { Refusal } from "./refusal.ts";

/** As a shell tells that Ctrl-C ended a program. */
export const interruptedCode = 130;

/**
 * Runs work that ends in order when somebody presses Ctrl-C: its signal is aborted, and what it awaits by `orInterrupted` rejects,
 * so that every `finally` on the way out stops what it started. One Ctrl-C may come as several signals.
 */
export async function interruptible<T>(work: (interruption: Interruption) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const { signal } = controller;
  const interrupt = () => controller.abort(new Refusal("interrupted; what was started is stopped", interruptedCode));
  const interrupted = new Promise<never>((_, fail) => signal.addEventListener("abort", () => fail(signal.reason)));
  interrupted.catch(() => undefined); // it may come when nobody waits; the signal tells
  const names = ["SIGINT", "SIGTERM"] as const;
  for (const name of names) process.on(name, interrupt);
  try {
    return await work({ signal, orInterrupted: (promise) => Promise.race([promise, interrupted]) });
  } finally {
    for (const name of names) process.off(name, interrupt);
  }
}

export interface Interruption {
  readonly signal: AbortSignal;
  readonly orInterrupted: <T>(promise: Promise<T>) => Promise<T>;
}
