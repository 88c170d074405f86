import { spawnSync } from "node:child_process";
import { createInterface } from "node:readline/promises";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { aptScript } from "./apt-script.ts";
import { type Binaries, findBinaries, type ServerName } from "./find-binaries.ts";

const packageNames = {
  apt: { nats: "nats-server", redis: "redis-server", postgres: "postgresql" },
  brew: { nats: "nats-server", redis: "redis", postgres: "postgresql@17" },
  dnf: { nats: "nats-server", redis: "valkey", postgres: "postgresql-server" },
  pacman: { nats: "nats-server", redis: "valkey", postgres: "postgresql" },
  apk: { nats: "nats-server", redis: "redis", postgres: "postgresql" },
} as const satisfies Record<string, Record<ServerName, string>>;

const installCommands = {
  apt: "apt-get install",
  brew: "brew install",
  dnf: "dnf install",
  pacman: "pacman -S",
  apk: "apk add",
} as const;

type PackageManager = keyof typeof installCommands;

/** What the machine offers, as arguments, so that every branch can be tested. */
export interface Machine {
  readonly binaries: () => Binaries;
  readonly packageManager: PackageManager | undefined;
  readonly isRoot: boolean;
  readonly hasSudo: boolean;
  readonly isTerminal: boolean;
  readonly installForbidden: boolean;
  readonly say: (line: string) => void;
  readonly ask: (question: string) => Promise<string>;
  /** Runs a shell script as root; its exit code. */
  readonly runAsRoot: (script: string) => number;
}

/**
 * The servers' programs; what is missing is installed with apt after saying so.
 * @throws TributaryError UNAVAILABLE with the exact command to run, where installing is forbidden, refused or not possible
 */
export async function ensureBinaries(
  need: readonly ServerName[],
  options: { readonly yes: boolean; readonly machine?: Machine },
): Promise<Binaries> {
  const machine = options.machine ?? thisMachine();
  const missing = missingOf(need, machine);
  if (missing.length === 0) return machine.binaries();
  const obstacle = obstacleOn(machine);
  if (obstacle !== undefined) throw refusal(missing, machine, obstacle);
  const packages = missing.map((name) => packageNames.apt[name]);
  machine.say(`Missing on this machine: ${packages.join(", ")}. Nothing that is installed will be started or changed.`);
  const asks = machine.isTerminal && !options.yes;
  if (asks && !/^(y|yes|)$/i.test((await machine.ask("Install with apt-get now? [Y/n] ")).trim())) {
    throw refusal(missing, machine, "not installed, as you said");
  }
  machine.say(`Installing ${packages.join(", ")} with apt-get …`);
  const exitCode = machine.runAsRoot(aptScript(packages));
  if (exitCode !== 0) throw refusal(missing, machine, `apt-get ended with exit code ${exitCode}`);
  const still = missingOf(need, machine);
  if (still.length > 0) throw refusal(still, machine, "still not found after installing");
  return machine.binaries();
}

function missingOf(need: readonly ServerName[], machine: Machine): readonly ServerName[] {
  const found = machine.binaries();
  return need.filter((name) => found[name] === undefined);
}

function obstacleOn(machine: Machine): string | undefined {
  if (machine.installForbidden) return "TRIBUTARY_NO_INSTALL forbids installing";
  if (machine.packageManager !== "apt") return "only apt is installed from automatically";
  if (!machine.isRoot && !machine.hasSudo) return "installing needs root";
  return undefined;
}

function refusal(missing: readonly ServerName[], machine: Machine, why: string): TributaryError {
  const manager = machine.packageManager;
  const advice =
    manager === undefined
      ? `Install ${missing.map((name) => packageNames.apt[name]).join(", ")} with your system's package manager`
      : `Run: ${manager === "brew" ? "" : "sudo "}${installCommands[manager]} ${missing.map((name) => packageNames[manager][name]).join(" ")}`;
  const variables = { nats: "NATS_URL", redis: "REDIS_URL", postgres: "DATABASE_URL" } as const;
  const urls = missing.map((name) => variables[name]).join(", ");
  return new TributaryError(
    "UNAVAILABLE",
    `missing on this machine: ${missing.join(", ")} (${why}). ${advice}. Or point ${urls} at a running server.`,
  );
}

function thisMachine(): Machine {
  const isRoot = process.getuid?.() === 0;
  return {
    binaries: () => findBinaries(),
    packageManager: packageManager(),
    isRoot,
    hasSudo: has("sudo"),
    isTerminal: process.stdin.isTTY === true && process.stderr.isTTY === true,
    installForbidden: !["", "0", undefined].includes(process.env.TRIBUTARY_NO_INSTALL),
    say: (line) => process.stderr.write(`${line}\n`),
    ask,
    runAsRoot: (script) => {
      const [command = "sh", ...args] = [...(isRoot ? [] : ["sudo"]), "sh", "-c", script];
      // Standard output belongs to data: what apt says goes to standard error.
      return spawnSync(command, args, { stdio: ["inherit", 2, 2] }).status ?? 1;
    },
  };
}

function packageManager(): PackageManager | undefined {
  const programs = { apt: "apt-get", brew: "brew", dnf: "dnf", pacman: "pacman", apk: "apk" } as const;
  return (Object.keys(programs) as PackageManager[]).find((name) => has(programs[name]));
}

function has(program: string): boolean {
  return spawnSync("sh", ["-c", `command -v ${program}`], { stdio: "ignore" }).status === 0;
}

async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await terminal.question(question);
  } finally {
    terminal.close();
  }
}
