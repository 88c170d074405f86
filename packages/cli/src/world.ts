import type { Readable, Writable } from "node:stream";
import { exitCodes } from "./exit-codes.ts";

/** Everything a command touches of the process it runs in, so that a test can run many commands in one. */
export interface World {
  readonly stdin: Readable;
  readonly stdout: Terminal;
  readonly stderr: Terminal;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly directory: string;
  /** Called for SIGINT and SIGTERM. */
  onInterrupt(listener: (exitCode: number) => void): void;
  /** Ends the process at once. */
  exit(exitCode: number): void;
}

export interface Terminal extends Writable {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

const sigtermExit = 143;

export function processWorld(): World {
  // A reader that goes away (`| head -1`) is no failure: what it does not want is not written.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", ignoreClosedPipe);
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    environment: process.env,
    directory: process.cwd(),
    onInterrupt: (listener) => {
      process.on("SIGINT", () => listener(exitCodes.interrupted));
      process.on("SIGTERM", () => listener(sigtermExit));
    },
    exit: (exitCode) => process.exit(exitCode),
  };
}

function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
}
