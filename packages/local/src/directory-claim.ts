import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { endLeftovers } from "./leftovers.ts";
import { moduleExtension, nodeArguments } from "./node-command.ts";
import { endOwnership, ownerOf, type ProcessEntry, takeOwnership } from "./process-table.ts";

/**
 * One process owns a data directory at a time. A watchdog (a sleeping `sh`) holds the other end of a pipe: when the
 * owner dies, however it dies, the pipe closes and the watchdog ends what the owner had started.
 */
export interface DirectoryClaim {
  /** What an earlier owner had left running, and was ended now. */
  readonly leftovers: readonly ProcessEntry[];
  /** Ends what still runs and gives the directory free. */
  release(): Promise<void>;
}

/** @throws TributaryError BAD_CONFIG when a living process owns the directory */
export async function claimDirectory(directory: string): Promise<DirectoryClaim> {
  assertNotInUse(directory);
  const leftovers = await endLeftovers(directory);
  const dismissWatchdog = startWatchdog(resolve(directory), takeOwnership(directory));
  const release = async () => {
    await endLeftovers(directory);
    endOwnership(directory);
    dismissWatchdog();
  };
  return { leftovers, release };
}

/** @throws TributaryError BAD_CONFIG when a living process owns the directory */
export function assertNotInUse(directory: string): void {
  const owner = ownerOf(directory);
  if (owner === undefined) return;
  throw new TributaryError(
    "BAD_CONFIG",
    `${directory} is in use by process ${owner.pid}: stop it, or take another directory`,
  );
}

/** It is told whose death it waits for, so that it never ends what the next owner has started meanwhile. */
function startWatchdog(directory: string, owner: ProcessEntry): () => void {
  const script = fileURLToPath(new URL(`./end-leftovers${moduleExtension}`, import.meta.url));
  const command = [process.execPath, ...nodeArguments(script), directory, String(owner.pid), owner.started];
  const watchdog = spawn("/bin/sh", ["-c", 'read word; [ "$word" = done ] || exec "$@"', "sh", ...command], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true, // Ctrl-C on the terminal must not reach it
    cwd: "/",
  });
  watchdog.on("error", () => undefined); // without it the table alone tells a later start what to end
  watchdog.stdin.on("error", () => undefined); // it has ended before us
  watchdog.unref();
  return () => void watchdog.stdin.end("done\n");
}
