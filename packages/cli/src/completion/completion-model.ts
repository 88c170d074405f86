import type { CommandSpec, OptionRow } from "../command.ts";
import { commandEntries, commandTable, globalOptions, isGroup, nameOf } from "../command-table.ts";
import { type ArgumentKind, kindOf } from "./argument-kinds.ts";

/** What may follow each command, as the generators of all shells read it. */
export interface CompletedCommand {
  /** Its words joined by spaces; "" before any is typed. */
  readonly path: string;
  readonly words: readonly Word[];
  /** Its own, beside those of every command. */
  readonly options: readonly CompletedOption[];
  readonly args: readonly CompletedArgument[];
}

export interface Word {
  readonly name: string;
  readonly does: string;
}

export interface CompletedOption {
  /** `-l` and `--limit`. */
  readonly names: readonly string[];
  readonly does: string;
  /** Undefined: it takes no value. */
  readonly takes: ArgumentKind | undefined;
}

export interface CompletedArgument {
  readonly kind: ArgumentKind;
  readonly repeats: boolean;
}

export function completionModel(): readonly CompletedCommand[] {
  const root = commandTable.flatMap(({ commands }) => commands).filter((entry) => isGroup(entry) || !entry.hidden);
  const words = root.map((entry) => ({ name: isGroup(entry) ? entry.name : nameOf(entry), does: entry.does }));
  const groups = root.filter(isGroup).map(({ name, commands }) => ({
    ...bare(name),
    words: commands.filter(({ hidden }) => !hidden).map((spec) => ({ name: nameOf(spec), does: spec.does })),
  }));
  const commands = commandEntries()
    .filter(({ spec }) => !spec.hidden)
    .map(({ path, spec }) => ({ ...bare(path.join(" "), spec.options), args: argumentsOf(spec) }));
  return [{ ...bare(""), words }, ...groups, ...commands];
}

function bare(path: string, own: readonly OptionRow[] = []): CompletedCommand {
  return { path, words: [], options: own.map(optionOf), args: [] };
}

/** Those that stand behind every command. */
export function commonOptions(): readonly CompletedOption[] {
  return [...globalOptions, helpOption].map(optionOf);
}

const helpOption: OptionRow = ["-h, --help", "help on a command, with examples"];

/** `-l, --limit <letters>` → its names and what it takes. */
function optionOf([flags, does]: OptionRow): CompletedOption {
  const value = /[<[]([^\]>]+)[\]>]/.exec(flags)?.[1];
  const names = flags.match(/(?<![\w-])--?[a-zA-Z][\w-]*/g) ?? [];
  return { names, does, takes: value === undefined ? undefined : kindOf(value.replace("...", "")) };
}

/** `get <feature-service> [key=value...]` → what each argument is. */
function argumentsOf({ usage }: CommandSpec): CompletedArgument[] {
  return usage
    .split(" ")
    .slice(1)
    .map((word) => {
      const name = word.replace(/[<>[\]]/g, "");
      return { kind: kindOf(name.replace("...", "")), repeats: name.endsWith("...") };
    });
}
