import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { TributaryError } from "@tributary/shared/contracts/errors";
import type { Invocation } from "../command.ts";
import type { DevEvent } from "../dev/dev-event.ts";
import { runDev } from "../dev/run-dev.ts";
import { showEvent } from "../dev/show-event.ts";
import type { Interruption } from "../interruption.ts";
import { type CommandResult, toJson } from "../output.ts";

export interface DevFlags {
  readonly fresh?: boolean;
  readonly allowDestroy?: boolean;
  readonly yes?: boolean;
}

/** Runs until it is interrupted, which is how it ends: exit code 0. */
export async function run({
  args,
  options,
  output,
  world,
  interruption,
}: Invocation<DevFlags>): Promise<CommandResult> {
  const file = args[0] ?? "features.ts";
  assertThere(world.directory, file);
  const tell = (event: DevEvent) => output.print(`${output.json ? toJson(event) : showEvent(event, output.colors)}\n`);
  output.note("starting servers and services; a first start takes some seconds");
  await runDev({
    file,
    workingDirectory: world.directory,
    directory: join(world.directory, ".tributary"),
    dataFolder: join(world.directory, "data"),
    fresh: options.fresh ?? false,
    allowDestroy: options.allowDestroy ?? false,
    yes: options.yes ?? false,
    environment: world.environment,
    onText: (text) => void world.stderr.write(text),
    tell,
    stopRequested: stopOf(interruption),
  });
  return { data: {}, text: "", streamed: true };
}

/** A Ctrl-C reaches what npm runs twice: from the terminal and from npm. The second of the pair must not end it in mid-stop. */
async function stopOf(interruption: Interruption): Promise<void> {
  await interruption.takeOver();
  void interruption.takeOver();
}

/** @throws TributaryError NOT_FOUND */
function assertThere(directory: string, file: string): void {
  if (existsSync(resolve(directory, file))) return;
  throw new TributaryError(
    "NOT_FOUND",
    `${directory} has no ${file}: \`tributary init\` writes one, \`dev FILE\` takes another`,
  );
}
