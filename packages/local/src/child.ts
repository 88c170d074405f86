import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, renameSync } from "node:fs";
import { dirname } from "node:path";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { signalPid } from "./leftovers.ts";
import { sizeOf } from "./log-tail.ts";
import { withDescendants } from "./process-identity.ts";
import { forgetProcess, registerProcess } from "./process-table.ts";

export interface ChildCommand {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
  /** Run as this user; absent: as ourselves. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
}

export interface Child {
  readonly pid: number;
  readonly logFile: string;
  /** Size of the log when this child began, bytes. */
  readonly logOffset: number;
  readonly exited: Promise<string>;
  /** How it ended, once it has: "exit code 1", "SIGKILL". */
  readonly ending: string | undefined;
  signal(signal: NodeJS.Signals): void;
  /** The signal to it and to everything below it. */
  signalAll(signal: NodeJS.Signals): void;
}

/** A log above this, bytes, is set aside at the next start; one earlier log is kept. */
const logBytesMax = 16 * 1024 * 1024;

/**
 * Starts a process whose output goes to `<directory>/logs/<name>.log` and which stands in the directory's process table
 * while it lives. It has a session of its own, so that Ctrl-C reaches only the owner, which stops it in order.
 */
export function startChild(directory: string, command: ChildCommand): Child {
  const logFile = logFileOf(directory, command.name);
  mkdirSync(dirname(logFile), { recursive: true, mode: 0o700 });
  if (sizeOf(logFile) > logBytesMax) renameSync(logFile, `${logFile}.1`);
  const logOffset = sizeOf(logFile);
  const log = openSync(logFile, "a", 0o600);
  const child = spawn(command.command, command.args, {
    stdio: ["ignore", log, log],
    detached: true,
    env: command.environment,
    cwd: command.workingDirectory,
    ...command.user,
  });
  closeSync(log);
  let ending: string | undefined;
  const exited = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  const pid = child.pid;
  if (pid === undefined) throw new TributaryError("UNAVAILABLE", `${command.name}: cannot run ${command.command}`);
  registerProcess(directory, { name: command.name, pid });
  const settled = exited.then((how) => {
    ending = how;
    forgetProcess(directory, pid);
    return how;
  });
  return {
    pid,
    logFile,
    logOffset,
    exited: settled,
    get ending() {
      return ending;
    },
    signal: (signal) => {
      if (ending === undefined) signalPid(pid, signal);
    },
    signalAll: (signal) => {
      if (ending === undefined) for (const one of withDescendants(pid)) signalPid(one, signal);
    },
  };
}

export function logFileOf(directory: string, name: string): string {
  return `${directory}/logs/${name}.log`;
}

/** What a server or tool needs of our environment; nothing secret passes by accident. */
export function plainEnvironment(): Record<string, string> {
  return { PATH: process.env.PATH ?? "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C", TZ: "UTC" };
}
