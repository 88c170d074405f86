import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { moduleExtension, nodeArguments } from "@tributary/local/node-command";
import { forgetProcess, registerProcess } from "@tributary/local/process-table";
import { type CatalogBody, catalogBodySchema } from "@tributary/shared/contracts/catalog";
import { fromWireError, TributaryError } from "@tributary/shared/contracts/errors";

export interface LoadOptions {
  /** Relative to the working directory, as it is named in problems. */
  readonly file: string;
  readonly workingDirectory: string;
  /** Of the process that may be left running when we die. */
  readonly directory: string;
  /** What the module prints. */
  readonly onText: (text: string) => void;
}

const loadMsMax = 30_000;
const entry = fileURLToPath(new URL(`./definitions-process${moduleExtension}`, import.meta.url));

/**
 * Compiles a definitions module in a process of its own: nothing of an earlier load remains, whatever the module imports,
 * and neither an endless loop nor `process.exit` in it reaches us.
 * @throws TributaryError INVALID_DEFINITION
 */
export async function loadApart(options: LoadOptions): Promise<CatalogBody> {
  const { file, workingDirectory: cwd, directory, onText } = options;
  const stdio = ["ignore", "pipe", "pipe", "ipc"] as const;
  const child = spawn(process.execPath, [...nodeArguments(entry), file], { cwd, stdio: [...stdio] });
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding("utf8").on("data", onText);
  if (child.pid !== undefined) registerProcess(directory, { name: "definitions", pid: child.pid });
  const timer = setTimeout(() => child.kill("SIGKILL"), loadMsMax);
  try {
    return await answerOf(child, file);
  } finally {
    clearTimeout(timer);
    if (child.pid !== undefined) forgetProcess(directory, child.pid);
  }
}

interface Answer {
  readonly body?: unknown;
  readonly error?: { readonly code: string; readonly message: string };
}

async function answerOf(child: ChildProcess, file: string): Promise<CatalogBody> {
  let answer: Answer = {};
  child.once("message", (message) => {
    answer = message as Answer;
  });
  const ending = await new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code, signal) => resolve(signal === null ? `exit code ${code}` : signal));
  });
  if (answer.error !== undefined) throw fromWireError(answer.error);
  if (answer.body !== undefined) return catalogBodySchema.parse(answer.body);
  const why = ending === "SIGKILL" ? `it took more than ${loadMsMax / 1_000} s` : `it ended the process (${ending})`;
  throw new TributaryError("INVALID_DEFINITION", `${file} cannot be loaded: ${why}`);
}
