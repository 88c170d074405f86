import { isAlive, withDescendants } from "./process-identity.ts";
import { forgetProcess, listProcesses, type ProcessEntry } from "./process-table.ts";

const politeMs = 5_000;
const pollMs = 20;

/**
 * Ends what a dead owner left running in the directory: asks first, kills after five seconds. Touches only processes
 * whose pid and start time both match the table.
 */
export async function endLeftovers(directory: string): Promise<readonly ProcessEntry[]> {
  const leftovers = listProcesses(directory);
  for (const entry of leftovers) signalProcess(entry, entry.name === "postgres" ? "SIGINT" : "SIGTERM");
  const deadline = performance.now() + politeMs;
  while (leftovers.some(isAlive) && performance.now() < deadline) await pause();
  for (const entry of leftovers.filter(isAlive)) {
    for (const pid of withDescendants(entry.pid)) signalPid(pid, "SIGKILL");
  }
  while (leftovers.some(isAlive)) await pause();
  for (const entry of leftovers) forgetProcess(directory, entry.pid);
  return leftovers;
}

function signalProcess(entry: ProcessEntry, signal: NodeJS.Signals): void {
  if (!isAlive(entry)) return;
  signalPid(entry.pid, signal);
  signalPid(entry.pid, "SIGCONT"); // a paused process hears nothing else
}

/** Sends a signal; a process that has ended meanwhile is fine. */
export function signalPid(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, pollMs));
}
