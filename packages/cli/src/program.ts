import { readFileSync } from "node:fs";
import { Command, CommanderError, Help } from "commander";
import { hasColors } from "./colors.ts";
import { type CommandModule, type CommandSpec, exampleOf } from "./command.ts";
import { commandTable, globalOptions, isGroup } from "./command-table.ts";
import { exitCodeMeanings, exitCodes } from "./exit-codes.ts";
import type { World } from "./world.ts";

/** Runs a loaded command; given by run-cli.ts, which knows how to print and to end. */
export type Execute = (command: Command, module: CommandModule, args: readonly string[]) => Promise<void>;

export interface ProgramOptions {
  readonly execute: Execute;
  readonly world: World;
  /** False: `--no-color`. */
  readonly color: boolean;
  readonly printVersion: (version: string) => void;
}

/** The command line: names, arguments, help. What the commands do is loaded when they are called. */
export function createProgram({ execute, world, color, printVersion }: ProgramOptions): Command {
  const program = new Command("tributary")
    .usage("<command> [arguments] [options]")
    .description("Fresh features from three lanes in one online store.")
    .configureHelp({
      showGlobalOptions: true,
      subcommandTerm: (command) => command.name(),
      styleTitle: bold,
      formatHelp: optionsLast,
    })
    .configureOutput({ ...outputTo(world, color), outputError: () => undefined })
    .showSuggestionAfterError(false)
    .exitOverride()
    .addHelpText("after", exitCodeHelp);
  for (const [flags, help] of globalOptions) program.option(flags, help);
  program.helpOption("-h, --help", "help on a command, with examples").on("option:version", () => {
    printVersion(version());
    throw new CommanderError(0, "commander.version", "");
  });
  for (const { title, commands } of commandTable) {
    program.commandsGroup(`${title}:`);
    for (const entry of commands) {
      if (!isGroup(entry)) addCommand(program, entry, execute);
      else {
        const group = program.command(entry.name).usage("<command> [arguments] [options]").description(entry.does);
        for (const spec of entry.commands) addCommand(group, spec, execute);
        group.helpCommand(false);
      }
    }
  }
  return program.helpCommand("help [command]", "help on a command");
}

/** Who looks for help looks for a command first. */
function optionsLast(command: Command, help: Help): string {
  const parts = Help.prototype.formatHelp.call(help, command, help).trimEnd().split("\n\n");
  const isOptions = (part: string) => /^\S*(Global )?Options:/.test(part);
  return `${[...parts.filter((part) => !isOptions(part)), ...parts.filter(isOptions)].join("\n\n")}\n`;
}

const bold = (title: string) => `\u001b[1m${title}\u001b[22m`;

function outputTo({ stdout, stderr, environment }: World, wanted: boolean) {
  return {
    writeOut: (text: string) => void stdout.write(text),
    writeErr: (text: string) => void stderr.write(text),
    getOutHasColors: () => hasColors({ wanted, environment, stream: stdout }),
    getErrHasColors: () => hasColors({ wanted, environment, stream: stderr }),
    getOutHelpWidth: () => stdout.columns ?? helpWidth,
    getErrHelpWidth: () => stderr.columns ?? helpWidth,
  };
}

const helpWidth = 100;

const exitCodeHelp = `\nExit codes: ${Object.entries(exitCodeMeanings)
  .map(([name, means]) => `${exitCodes[name as keyof typeof exitCodes]} ${means}`)
  .join(", ")
  .replace(", 4", ",\n            4")}`;

function addCommand(parent: Command, spec: CommandSpec, execute: Execute): void {
  const command = parent.command(spec.usage, { hidden: spec.hidden ?? false }).summary(spec.does);
  command.usage(`${command.usage().replace("[options] ", "")} [options]`);
  command.description(spec.more === undefined ? spec.does : `${spec.does}\n\n${spec.more}`);
  if (spec.examples.length > 0) command.addHelpText("after", `\nExamples:\n${exampleLines(spec)}`);
  for (const [flags, help] of spec.options ?? []) command.option(flags, help);
  command.action(async () => {
    // Options are declared beside the module that reads them; commander does not carry their types over.
    const module = (await spec.load()) as unknown as CommandModule;
    await execute(command, module, command.args);
  });
}

function exampleLines({ examples }: CommandSpec): string {
  return examples.map((example) => `  tributary ${exampleOf(example).line}`).join("\n");
}

/** Beside `src` and `dist` alike. */
function version(): string {
  const file = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(file) as { readonly version: string }).version;
}
