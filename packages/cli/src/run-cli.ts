import { asTributaryError, type TributaryError } from "@tributary/shared/contracts/errors";
import { CommanderError } from "commander";
import { maskSecrets } from "./commands/config-print.ts";
import { exitCodes } from "./exit-codes.ts";
import { Interruption } from "./interruption.ts";
import { createOutput, type Output, type OutputFlags, printError, printResult } from "./output.ts";
import { createProgram, type Execute } from "./program.ts";
import { type ConnectionFlags, readSettings, type Settings } from "./settings.ts";
import { printUsageError } from "./usage-error.ts";
import type { World } from "./world.ts";

/** Runs one command line, without the leading `tributary`, to its end; resolves with the exit code and never throws. */
export async function runCli(argv: readonly string[], world: World): Promise<number> {
  const flags = flagsOf(argv);
  const output = createOutput(flags, world);
  const interruption = endOnInterrupt(world, output);
  let exitCode: number = exitCodes.ok;
  const execute: Execute = async (command, module, args) => {
    const begunMs = performance.now();
    const options = command.optsWithGlobals<ConnectionFlags>();
    const settings = readSettings(options, world.environment, world.directory);
    const invocation = { args, options, settings: telling(settings, output), output, world, interruption };
    exitCode = printResult(output, await module.run(invocation));
    output.detail(`took ${Math.round(performance.now() - begunMs)} ms`);
  };
  const printVersion = (version: string) => void printResult(output, { data: { version }, text: version });
  try {
    await createProgram({ execute, world, color: flags.color, printVersion }).parseAsync(argv, { from: "user" });
    return exitCode;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return endOfParsing(output, thrown, argv);
    return told(output, asTributaryError(thrown));
  }
}

/** Known before the call is parsed, because a wrong call is told by them too. */
function flagsOf(argv: readonly string[]): OutputFlags & { readonly color: boolean } {
  const end = argv.indexOf("--");
  const words = end === -1 ? argv : argv.slice(0, end);
  const has = (...names: string[]) => names.some((name) => words.includes(name));
  return {
    json: has("--json"),
    quiet: has("-q", "--quiet"),
    verbose: has("-v", "--verbose"),
    color: !has("--no-color"),
  };
}

function endOnInterrupt(world: World, output: Output): Interruption {
  const interruption = new Interruption();
  world.onInterrupt((exitCode) => {
    const word = interruption.interrupt();
    if (word === true) return;
    output.say(word);
    world.exit(exitCode);
  });
  return interruption;
}

/** With `--verbose`, says which servers are used when they are first asked for. */
function telling(settings: Settings, output: Output): Settings {
  const told = new Set<string>();
  const tell = <T extends string | undefined>(name: Settings["entries"][number]["name"], value: T): T => {
    const from = settings.entries.find((entry) => entry.name === name)?.from;
    if (!told.has(name)) output.detail(`${name} ${value === undefined ? "-" : maskSecrets(value)} (${from})`);
    told.add(name);
    return value;
  };
  return {
    ...settings,
    natsUrl: () => tell("natsUrl", settings.natsUrl()),
    adminNatsUrl: () => tell("adminNatsUrl", settings.adminNatsUrl()),
    databaseUrl: () => tell("databaseUrl", settings.databaseUrl()),
  };
}

/** Help and version end the parsing as well. */
function endOfParsing(output: Output, error: CommanderError, argv: readonly string[]): number {
  if (error.exitCode === 0) return exitCodes.ok;
  return printUsageError(output, error, argv);
}

/** A defect is reported with its stack; whoever did not ask for it does not see one. */
function told(output: Output, error: TributaryError): number {
  const exitCode = printError(output, error);
  if (error.code === "INTERNAL" && error.cause instanceof Error) output.detail(error.cause.stack ?? "");
  return exitCode;
}
