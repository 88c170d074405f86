import type { Invocation } from "../command.ts";
import type { CommandResult } from "../output.ts";
import { alignColumns } from "../table.ts";

export async function run({ settings }: Invocation): Promise<CommandResult> {
  const shown = settings.entries.map(({ name, value, from }) => ({
    name,
    value: value === undefined ? null : maskSecrets(value),
    from: from ?? null,
  }));
  const lines = shown.map(({ name, value, from }) => [name, value ?? "-", from ?? "not set"]);
  return { data: { settings: shown }, text: alignColumns(lines) };
}

/** A URL without its password and the values of its parameters; anything else is a secret as a whole. */
export function maskSecrets(text: string): string {
  if (!URL.canParse(text)) return "***";
  const url = new URL(text);
  if (url.password !== "") url.password = "***";
  for (const name of [...url.searchParams.keys()]) url.searchParams.set(name, "***");
  return url.href;
}
