import { userInfo } from "node:os";
import { applyCatalog } from "../catalog/apply.ts";
import { loadDefinitions } from "../catalog/load-definitions.ts";
import { showPlan } from "../catalog/show-plan.ts";
import type { Invocation } from "../command.ts";
import type { CommandResult } from "../output.ts";

export interface ApplyFlags {
  readonly message?: string;
  readonly allowDestroy?: boolean;
}

/** The plan goes to standard error before it is carried out or refused; under `--json` it is part of the data. */
export async function run(invocation: Invocation<ApplyFlags>): Promise<CommandResult> {
  const { args, options, settings, output, interruption } = invocation;
  const body = await loadDefinitions(args[0] ?? "");
  interruption.underWay(() => "the catalog may or may not have been applied; see `tributary plan`");
  const report = await applyCatalog({
    body,
    natsUrl: settings.adminNatsUrl(),
    databaseUrl: settings.databaseUrl(),
    author: userInfo().username,
    message: options.message,
    allowDestroy: options.allowDestroy,
    ...(!output.json && { onPlan: (plan) => output.note(`${showPlan(plan, output.noteColors)}\n`) }),
  });
  const counts = (["views", "featureServices"] as const).map((kind) => Object.keys(body[kind]).length);
  const what = `${counts[0]} views, ${counts[1]} feature services`;
  const said = report.changed ? "applied as" : "unchanged:";
  return { data: report, text: `${what} ${said} catalog version ${report.version}` };
}
