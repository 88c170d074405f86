import { userInfo } from "node:os";
import { applyCatalog } from "../catalog/apply.ts";
import { loadDefinitions } from "../catalog/load-definitions.ts";
import type { Invocation } from "../command.ts";
import type { CommandResult } from "../output.ts";

export interface ApplyFlags {
  readonly message?: string;
}

export async function run({ args, options, settings }: Invocation<ApplyFlags>): Promise<CommandResult> {
  const body = await loadDefinitions(args[0] ?? "");
  const report = await applyCatalog({
    body,
    natsUrl: settings.adminNatsUrl(),
    databaseUrl: settings.databaseUrl(),
    author: userInfo().username,
    message: options.message,
  });
  const counts = (["views", "featureServices"] as const).map((kind) => Object.keys(body[kind]).length);
  const what = `${counts[0]} views, ${counts[1]} feature services`;
  const said = report.changed ? "applied as" : "unchanged:";
  return { data: report, text: `${what} ${said} catalog version ${report.version}` };
}
