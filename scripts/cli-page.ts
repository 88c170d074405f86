import { type CommandSpec, exampleOf } from "../packages/cli/src/command.ts";
import { commandEntries, commandTable, globalOptions, isGroup, nameOf } from "../packages/cli/src/command-table.ts";
import { exitCodeMeanings, exitCodes } from "../packages/cli/src/exit-codes.ts";
import { page, table } from "./reference-text.ts";

/** The reference of the command line, from its tables. */
export function cliPage(): string {
  const sections = commandTable.flatMap(({ title, commands }) => [
    `## ${title}`,
    ...commands.flatMap((entry) => {
      if (isGroup(entry)) return entry.commands.flatMap((spec) => commandPart([entry.name], spec));
      return commandPart([], entry);
    }),
  ]);
  return page(
    "Command line",
    "`tributary <command> [arguments] [options]`; in a clone `npm run tributary -- <command>`. Options stand anywhere.",
    [contents(), ...sections, "## Options of every command", optionTable(globalOptions), conventions(), exitCodePart()],
  );
}

function contents(): string {
  const rows = commandEntries()
    .filter(({ spec }) => !spec.hidden)
    .map(({ path, spec }) => [`[\`${path.join(" ")}\`](#${anchorOf(path)})`, spec.does]);
  return table(["command", "what"], rows);
}

function commandPart(group: readonly string[], spec: CommandSpec): string[] {
  if (spec.hidden) return [];
  const examples = spec.examples.map((example) => `tributary ${exampleOf(example).line}`);
  return [
    `### ${[...group, nameOf(spec)].join(" ")}`,
    `\`tributary ${[...group, spec.usage].join(" ")}\``,
    [spec.does, spec.more].filter(Boolean).map(sentence).join(" "),
    ...(spec.options ? [optionTable(spec.options)] : []),
    `\`\`\`sh\n${examples.join("\n")}\n\`\`\``,
  ];
}

function optionTable(options: NonNullable<CommandSpec["options"]>): string {
  return table(
    ["option", "what"],
    options.map(([flags, help]) => [`\`${flags}\``, help]),
  );
}

function conventions(): string {
  return [
    "## What goes where",
    "Data goes to standard output, everything else (progress, remarks, errors) to standard error. With `--json` standard output is one object:",
    '`{"ok":true,"data":…}`, or `{"ok":false,"error":{"code","message","hint"}}` with a code of [errors.md](errors.md). ' +
      "What ended early after part of the work has both `error` and `data`, and exit code 6.",
    "Commands that run until they are interrupted print one object a line and no envelope. `admin processes` prints the bare list.",
    "Ctrl-C ends a command at once with 130 and says on standard error what was begun; a reader that goes away (`| head -1`) is no failure.",
    "Progress is one changing line on a terminal, elsewhere a line every few seconds; `--quiet` and `--json` turn it off.",
    "Colours: on a terminal; `--no-color` goes before `NO_COLOR`, that before `FORCE_COLOR`.",
    "Servers: `--nats-url` and `--database-url`, then `NATS_URL` and `DATABASE_URL`, then `.tributary/environment.json` of a running `tributary dev` or `npm start`, here or in a folder above. " +
      "Prefer the variables: a flag shows the password in the process list.",
  ].join("\n\n");
}

function exitCodePart(): string {
  const rows = Object.entries(exitCodeMeanings).map(([name, means]) => [
    exitCodes[name as keyof typeof exitCodes],
    means,
  ]);
  return `## Exit codes\n\n${table(["code", "means"], rows)}`;
}

function sentence(text = ""): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith(".") ? "" : "."}`;
}

function anchorOf(path: readonly string[]): string {
  return path.join("-");
}
