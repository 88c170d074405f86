import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { DevEvent } from "@tributary/cli/dev/dev-event";
import { nodeArguments } from "@tributary/local/node-command";
import { until } from "../support/until.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const main = join(root, "packages/cli/src/main.ts");

/** The scaffold as `tributary init` writes it, beside the packages of this clone. */
export function featureRepository(folder: string): string {
  mkdirSync(folder, { recursive: true });
  cpSync(join(root, "packages/cli/templates/feature-repository"), folder, { recursive: true });
  renameSync(join(folder, "gitignore"), join(folder, ".gitignore"));
  rmSync(join(folder, "README.md"));
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  return folder;
}

export interface DevProcess {
  readonly child: ChildProcess;
  readonly events: readonly DevEvent[];
  /** The first event of this kind behind those that were waited for before. */
  next<K extends DevEvent["event"]>(kind: K): Promise<Extract<DevEvent, { event: K }>>;
  /** Sends the signal and resolves with the exit code. */
  end(signal?: NodeJS.Signals): Promise<number | null>;
  readonly stderr: () => string;
}

/** `tributary dev --json` in a folder, its events as they come. */
export function startDev(
  folder: string,
  args: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): DevProcess {
  const { PATH = "", HOME = "" } = process.env;
  const child = spawn(process.execPath, [...nodeArguments(main), "dev", "--json", ...args], {
    cwd: folder,
    env: { PATH, HOME, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const events: DevEvent[] = [];
  let said = "";
  createInterface({ input: child.stdout }).on("line", (line) => events.push(JSON.parse(line)));
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  let waitedFor = 0;
  const next: DevProcess["next"] = async (kind) => {
    const at = await until(() => {
      const found = events.findIndex((event, i) => i >= waitedFor && event.event === kind);
      if (found !== -1) return found;
      throw new Error(`no "${kind}" after ${JSON.stringify(events.slice(waitedFor))}\n${said}`);
    });
    waitedFor = at + 1;
    return events[at] as never;
  };
  const end = (signal: NodeJS.Signals = "SIGINT") => {
    child.kill(signal);
    return ended;
  };
  return { child, events, next, end, stderr: () => said };
}
