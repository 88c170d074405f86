import type { CommandResult, Output } from "./output.ts";
import type { Settings } from "./settings.ts";

/** What a command gets: its arguments in order, its options, and the two ways to the world. */
export interface Invocation<Options = object> {
  readonly args: readonly string[];
  readonly options: Options;
  readonly settings: Settings;
  readonly output: Output;
}

/** One command, in one file, loaded when it is called. */
export interface CommandModule<Options = object> {
  run(invocation: Invocation<Options>): Promise<CommandResult>;
}
