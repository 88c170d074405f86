#!/usr/bin/env node
import { asTributaryError } from "@tributary/shared/contracts/errors";
import { type Command, CommanderError } from "commander";
import { exitCodes } from "./exit-codes.ts";
import { createOutput, type Output, printError, printResult } from "./output.ts";
import { createProgram, type Execute } from "./program.ts";
import { type ConnectionFlags, readSettings } from "./settings.ts";

process.once("SIGINT", () => process.exit(exitCodes.interrupted));

const output = createOutput(process.argv.includes("--json"));

const execute: Execute = async (command, module, args) => {
  const options = command.optsWithGlobals<ConnectionFlags>();
  const settings = readSettings(options, process.env, process.cwd());
  process.exitCode = printResult(output, await module.run({ args, options, settings, output }));
};

try {
  await overrideExit(createProgram(execute)).parseAsync();
} catch (error) {
  process.exitCode =
    error instanceof CommanderError ? usageExit(output, error) : printError(output, asTributaryError(error));
}

/** Commander ends the process by itself, with 1 for a wrong call; ours is 2, with an envelope under `--json`. */
function overrideExit(command: Command): Command {
  for (const child of command.commands) overrideExit(child);
  return command.exitOverride();
}

function usageExit({ json }: Output, error: CommanderError): number {
  if (error.exitCode === 0) return exitCodes.ok;
  const hint = "see tributary --help";
  if (json)
    process.stdout.write(`${JSON.stringify({ ok: false, error: { code: "USAGE", message: error.message, hint } })}\n`);
  return exitCodes.usage;
}
