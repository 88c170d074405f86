import { resolve } from "node:path";
import { listProcesses } from "@tributary/local/process-table";
import type { Invocation } from "../command.ts";
import type { CommandResult } from "../output.ts";
import { alignColumns } from "../table.ts";

export interface ProcessesFlags {
  readonly directory?: string;
}

/** What a start of ours left running in this directory; an empty list when all is ended. */
export async function run({ options, settings }: Invocation<ProcessesFlags>): Promise<CommandResult> {
  const directory = resolve(options.directory ?? settings.directory ?? ".tributary");
  const processes = listProcesses(directory);
  const text = processes.length === 0 ? "none" : alignColumns(processes.map(({ name, pid }) => [name, String(pid)]));
  return { data: processes, text, bare: true };
}
