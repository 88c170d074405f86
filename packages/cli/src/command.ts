import type { Interruption } from "./interruption.ts";
import type { CommandResult, Output } from "./output.ts";
import type { Settings } from "./settings.ts";
import type { World } from "./world.ts";

/** What a command gets: its arguments in order, its options, and the ways to the world. */
export interface Invocation<Options = object> {
  readonly args: readonly string[];
  readonly options: Options;
  readonly settings: Settings;
  readonly output: Output;
  readonly world: World;
  readonly interruption: Interruption;
}

/** One command, in one file, loaded when it is called. */
export interface CommandModule<Options = object> {
  run(invocation: Invocation<Options>): Promise<CommandResult>;
}

/** One row of a command table: the help, the completion, the reference page and the test of examples all read it. */
export interface CommandSpec {
  /** Name and arguments; an argument's name also says what completes it (`completion/argument-kinds.ts`). */
  readonly usage: string;
  /** One line. */
  readonly does: string;
  /** A paragraph for the command's own help. */
  readonly more?: string;
  readonly options?: readonly OptionRow[];
  /** What a test runs, and a person copies. */
  readonly examples: readonly Example[];
  /** Called by scripts of ours only: in no help. */
  readonly hidden?: boolean;
  readonly load: () => Promise<{ run: (invocation: Invocation<never>) => ReturnType<CommandModule["run"]> }>;
}

export type OptionRow = readonly [flags: string, help: string];

export interface CommandGroup {
  readonly name: string;
  readonly does: string;
  readonly commands: readonly CommandSpec[];
}

/** A call without the leading `tributary`; it ends with exit code 0 unless it says otherwise. */
export type Example = string | ExampleWithNeeds;

export interface ExampleWithNeeds {
  readonly line: string;
  /** What must be there before it, or happen beside it; `test/cli/examples.test.ts` has a stage for each. */
  readonly needs: ExampleNeed;
}

export type ExampleNeed =
  /** Letters 12 and 13 are in the dead-letter stream. */
  | "dead letters"
  /** Somebody publishes meanwhile. */
  | "traffic"
  /** It runs until it is interrupted. */
  | "interrupt"
  /** A folder with nothing in it. */
  | "empty folder"
  /** It starts servers and services itself. */
  | "no servers";

export function exampleOf(example: Example): Partial<ExampleWithNeeds> & { readonly line: string } {
  return typeof example === "string" ? { line: example } : example;
}
