import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

export interface PythonCall {
  readonly program: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory?: string;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Standard input, as fast as it is read. */
  readonly input?: Iterable<string>;
  /** Hears each line of standard output. */
  readonly onLine?: (line: string) => void;
}

/** How it ended, when not well; and the end of what it said. */
export class PythonFailure extends Error {
  constructor(program: string, how: string, said: string) {
    super(`${program} failed (${how})${said === "" ? "" : `:\n${said}`}`);
    this.name = "PythonFailure";
  }
}

const saidMax = 2_000;

/** Runs a program to its end. @throws PythonFailure, or the signal's reason */
export async function runPython(call: PythonCall): Promise<void> {
  const { program, args, environment, workingDirectory, signal } = call;
  signal.throwIfAborted();
  const child = spawn(program, args, { env: environment, signal, ...(workingDirectory && { cwd: workingDirectory }) });
  let said = "";
  const hear = (text: string) => {
    said = `${said}${text}`.slice(-saidMax);
  };
  child.stderr.setEncoding("utf8").on("data", hear);
  createInterface({ input: child.stdout }).on("line", (line) => {
    hear(`${line}\n`);
    call.onLine?.(line);
  });
  // It ended without reading; its exit code tells.
  pipeline(Readable.from(call.input ?? []), child.stdin).catch(() => undefined);
  const [code, killedBy] = await once(child, "close").catch((error: Error) => {
    signal.throwIfAborted();
    throw new PythonFailure(program, error.message, "");
  });
  signal.throwIfAborted();
  if (code !== 0) throw new PythonFailure(program, killedBy ?? `exit code ${code}`, said.trim());
}
