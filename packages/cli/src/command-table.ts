import type { CommandGroup, CommandSpec, OptionRow } from "./command.ts";
import { definingCommands } from "./defining-commands.ts";
import { operatingCommands } from "./operating-commands.ts";
import { usingCommands } from "./using-commands.ts";

export interface CommandSection {
  readonly title: string;
  readonly commands: readonly (CommandSpec | CommandGroup)[];
}

/** Every command, by what a person is about to do. */
export const commandTable: readonly CommandSection[] = [
  { title: "Define", commands: definingCommands },
  { title: "Use", commands: usingCommands },
  { title: "Operate", commands: operatingCommands },
];

/** Before or behind the command. */
export const globalOptions: readonly OptionRow[] = [
  ["--json", "one JSON object: {ok, data} or {ok, error}"],
  ["-q, --quiet", "no progress and no remarks, only errors"],
  ["-v, --verbose", "also which servers are used, and how long it took"],
  ["--no-color", "also by NO_COLOR; FORCE_COLOR turns colours on"],
  ["--nats-url <url>", "default NATS_URL, else the running `tributary dev`"],
  ["--database-url <url>", "default DATABASE_URL, else the running `tributary dev`; none: without PostgreSQL"],
  ["-V, --version", "the version of this command"],
];

/** A command with the words that call it: `["dlq", "list"]`. */
export interface CommandEntry {
  readonly path: readonly string[];
  readonly spec: CommandSpec;
}

export function isGroup(entry: CommandSpec | CommandGroup): entry is CommandGroup {
  return "commands" in entry;
}

/** Every command that can be called, hidden ones too. */
export function commandEntries(): readonly CommandEntry[] {
  return commandTable.flatMap(({ commands }) =>
    commands.flatMap((entry) =>
      isGroup(entry)
        ? entry.commands.map((spec) => ({ path: [entry.name, nameOf(spec)], spec }))
        : [{ path: [nameOf(entry)], spec: entry }],
    ),
  );
}

/** `get <feature-service> [key=value...]` → `get`. */
export function nameOf({ usage }: CommandSpec): string {
  return usage.split(" ", 1)[0] ?? usage;
}
