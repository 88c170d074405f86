import { TributaryError } from "@tributary/shared/contracts/errors";
import type { Invocation } from "../command.ts";
import { shells } from "../completion/argument-kinds.ts";
import { bashScript } from "../completion/bash-script.ts";
import { fishScript } from "../completion/fish-script.ts";
import { zshScript } from "../completion/zsh-script.ts";
import type { CommandResult } from "../output.ts";

const scripts: Readonly<Record<string, () => string>> = { bash: bashScript, zsh: zshScript, fish: fishScript };

export async function run({ args }: Invocation): Promise<CommandResult> {
  const [shell = ""] = args;
  const script = Object.hasOwn(scripts, shell) ? scripts[shell] : undefined;
  if (script === undefined)
    throw new TributaryError("BAD_CONFIG", `no completion for "${shell}": ${shells.join(", ")}`);
  return { data: { shell, script: script() }, text: script() };
}
