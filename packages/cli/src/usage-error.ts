import type { ErrorCode } from "@tributary/shared/contracts/errors";
import type { CommanderError } from "commander";
import { commandTable, globalOptions, isGroup, nameOf } from "./command-table.ts";
import { exitCodes } from "./exit-codes.ts";
import { nearNames } from "./near-names.ts";
import { type Output, toJson } from "./output.ts";

/** Tells of a call that the command line does not understand; returns the exit code. */
export function printUsageError(output: Output, error: CommanderError, argv: readonly string[]): number {
  const path = pathOf(argv);
  const { message, isTold } = describe(error, path);
  const hint = `see \`${["tributary", ...path].join(" ")} --help\``;
  if (output.json)
    output.print(`${toJson({ ok: false, error: { code: "USAGE" satisfies ErrorCode, message, hint } })}\n`);
  if (!isTold) output.fail({ error: message, hint });
  return exitCodes.usage;
}

interface Described {
  readonly message: string;
  /** The help is on standard error already. */
  readonly isTold: boolean;
}

function describe(error: CommanderError, path: readonly string[]): Described {
  const message = error.message.replace(/^error: /, "");
  const [, wanted = ""] = /^unknown \w+ '(.*)'$/.exec(message) ?? [];
  switch (error.code) {
    case "commander.help":
      return { message: `a command is missing: ${commandsOf(path).join(", ")}`, isTold: true };
    case "commander.unknownCommand":
      return { message: message + didYouMean(wanted, commandsOf(path)), isTold: false };
    case "commander.unknownOption":
      return { message: message + didYouMean(wanted, optionsOf(path)), isTold: false };
    default:
      return { message, isTold: false };
  }
}

function didYouMean(wanted: string, names: readonly string[]): string {
  const near = nearNames(wanted, names).map((name) => `"${name}"`);
  return near.length === 0 ? "" : `; did you mean ${near.join(" or ")}?`;
}

const entries = commandTable.flatMap(({ commands }) => commands).filter((entry) => isGroup(entry) || !entry.hidden);

/** The words that name a command, as far as they are known. */
function pathOf(argv: readonly string[]): string[] {
  const words = argv.filter((word) => !word.startsWith("-"));
  const first = words.find((word) => commandsOf([]).includes(word));
  if (first === undefined) return [];
  const next = words[words.indexOf(first) + 1];
  return next !== undefined && commandsOf([first]).includes(next) ? [first, next] : [first];
}

function commandsOf([group]: readonly string[]): string[] {
  if (group === undefined) return entries.map((entry) => (isGroup(entry) ? entry.name : nameOf(entry)));
  const found = entries.find((entry) => isGroup(entry) && entry.name === group);
  return found !== undefined && isGroup(found) ? found.commands.map(nameOf) : [];
}

function optionsOf(path: readonly string[]): string[] {
  const specs = entries.flatMap((entry) => (isGroup(entry) ? entry.commands : [entry]));
  const own = specs.find((spec) => nameOf(spec) === path.at(-1))?.options ?? [];
  return [...own, ...globalOptions].flatMap(([flags]) => flags.match(/--[a-z-]+/g) ?? []);
}
