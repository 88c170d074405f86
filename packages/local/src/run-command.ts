import { spawn } from "node:child_process";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { plainEnvironment } from "./child.ts";

export interface RunOptions {
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
  readonly workingDirectory?: string;
  /** Standard input. */
  readonly input?: string;
}

const outputMax = 64 * 1024;

/**
 * Runs a program to its end and returns its standard output.
 * @throws TributaryError UNAVAILABLE with the end of what it said
 */
export function runCommand(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  return new Promise((resolve, fail) => {
    const child = spawn(command, args, {
      env: plainEnvironment(),
      cwd: options.workingDirectory ?? "/",
      ...options.user,
    });
    let output = "";
    let said = "";
    child.stdout.on("data", (data) => {
      output = `${output}${data}`.slice(-outputMax);
    });
    child.stderr.on("data", (data) => {
      said = `${said}${data}`.slice(-outputMax);
    });
    child.stdin.on("error", () => undefined); // it ended without reading; its exit code tells
    child.stdin.end(options.input ?? "");
    const complain = (how: string) =>
      fail(new TributaryError("UNAVAILABLE", `${command} failed (${how}):\n${(said || output).trim()}`));
    child.once("error", (error) => complain(error.message));
    child.once("close", (code, signal) => (code === 0 ? resolve(output) : complain(signal ?? `exit code ${code}`)));
  });
}
