import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { signalPid } from "@tributary/local/leftovers";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { until } from "../support/until.ts";

export interface ShellResult {
  /** Of the first command that failed; 0 when none did. */
  readonly exitCode: number;
  /** Standard output and standard error as they came. */
  readonly output: string;
}

export interface GuideShell {
  /** Runs commands in the one shell: folder, variables and background processes stay. */
  run(commands: string): Promise<ShellResult>;
  /** A terminal of its own in the shell's present folder, for what runs until it is interrupted. */
  openTerminal(command: string): Promise<Terminal>;
  /** Ends the shell and everything it started. */
  close(): Promise<void>;
}

export interface Terminal {
  readonly output: () => string;
  readonly ended: Promise<number | null>;
  signal(signal: NodeJS.Signals): void;
}

/** A person's bash in a folder. */
export function openGuideShell(folder: string, environment: Readonly<Record<string, string>>): GuideShell {
  const shell = startBash(["--noprofile", "--norc"], { folder, environment });
  const output = collect(shell);
  const files = temporaryDirectory("guide-blocks");
  shell.stdin?.write("trap 'failed=$?' ERR\n");
  let blocks = 0;
  const run = async (commands: string): Promise<ShellResult> => {
    const name = `block-${++blocks}`;
    const file = join(files.path, name);
    writeFileSync(file, commands); // a file, so that no command reads what comes behind it
    const from = output().length;
    shell.stdin?.write(`failed=0; source '${file}' < /dev/null; echo "end of ${name}: $failed"\n`);
    const end = new RegExp(`end of ${name}: (\\d+)\n`);
    const hasEnded = () => {
      if (shell.exitCode !== null) throw new Error("the shell has ended");
      return end.exec(output().slice(from)) ?? undefined;
    };
    const found = await until(hasEnded, { timeoutMs: 200_000, what: `the end of:\n${commands}` });
    return { exitCode: Number(found[1]), output: output().slice(from).replace(end, "") };
  };
  const openTerminal = async (command: string): Promise<Terminal> => {
    const here = (await run("pwd")).output.trim();
    const child = startBash(["--noprofile", "--norc", "-c", command], { folder: here, environment });
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
    // As a terminal does: to every process of the group.
    return { output: collect(child), ended, signal: (signal) => signalPid(-(child.pid ?? 0), signal) };
  };
  const close = async () => {
    shell.stdin?.end();
    await endGroup(shell.pid ?? 0);
    files.remove();
  };
  return { run, openTerminal, close };
}

interface Place {
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** Detached: it leads a process group, which ends as one. */
function startBash(args: readonly string[], { folder, environment }: Place): ChildProcess {
  return spawn("bash", [...args], { cwd: folder, env: environment, stdio: "pipe", detached: true });
}

function collect(child: ChildProcess): () => string {
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (more: string) => {
      text += more;
    });
  }
  return () => text;
}

async function endGroup(leader: number): Promise<void> {
  signalPid(-leader, "SIGTERM");
  await until(() => !isAlive(leader), { timeoutMs: 10_000 }).catch(() => signalPid(-leader, "SIGKILL"));
}

function isAlive(leader: number): boolean {
  try {
    return process.kill(-leader, 0);
  } catch {
    return false;
  }
}
