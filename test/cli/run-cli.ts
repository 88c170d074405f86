import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { nodeArguments } from "@tributary/local/node-command";

/** What a shell would run. */
export const cliMain = fileURLToPath(new URL("../../packages/cli/src/main.ts", import.meta.url));

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Standard output as JSON. */
  json(): unknown;
}

export interface CliOptions {
  readonly directory: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Standard input; null leaves it open. */
  readonly input?: string | null;
  /** Called with the running process. */
  readonly onStart?: (child: ChildProcess) => void;
}

/** The command as a person calls it, in a folder, with no other settings than the given ones. */
export function runCli(args: readonly string[], { directory, environment = {}, input = "", onStart }: CliOptions) {
  const { PATH = "", HOME = "" } = process.env;
  const child = spawn(process.execPath, [...nodeArguments(cliMain), ...args], {
    cwd: directory,
    env: { PATH, HOME, ...environment },
  });
  if (input !== null) child.stdin.end(input);
  onStart?.(child);
  const output = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].setEncoding("utf8").on("data", (text: string) => {
      output[stream] += text;
    });
  }
  return new Promise<CliResult>((resolve, fail) => {
    child.once("error", fail);
    child.once("close", (code) => resolve({ code, ...output, json: () => JSON.parse(output.stdout) }));
  });
}
