import { applyCatalog } from "../catalog/apply.ts";
import { author } from "../catalog/author.ts";
import { assertDirectOnly } from "../catalog/direct-only.ts";
import { describeEverywhere } from "../catalog/everywhere.ts";
import { loadDefinitions } from "../catalog/load-definitions.ts";
import { showPlan } from "../catalog/show-plan.ts";
import type { Invocation } from "../command.ts";
import type { CommandResult } from "../output.ts";

export interface ApplyFlags {
  readonly message?: string;
  readonly allowDestroy?: boolean;
  /** False with `--no-wait`. */
  readonly wait?: boolean;
}

/** The plan goes to standard error before it is carried out or refused; under `--json` it is part of the data. */
export async function run(invocation: Invocation<ApplyFlags>): Promise<CommandResult> {
  const { args, options, settings, output, interruption } = invocation;
  const body = await loadDefinitions(args[0] ?? "");
  const databaseUrl = settings.databaseUrl();
  if (databaseUrl === undefined) assertDirectOnly(body);
  interruption.underWay(() => "the catalog may or may not have been applied; see `tributary plan`");
  const report = await applyCatalog({
    body,
    natsUrl: settings.adminNatsUrl(),
    databaseUrl,
    author: author(),
    message: options.message,
    allowDestroy: options.allowDestroy,
    ...(options.wait === false && { waitMs: 0 }),
    ...(!output.json && { onPlan: (plan) => output.note(`${showPlan(plan, output.noteColors)}\n`) }),
  });
  const counts = (["views", "featureServices"] as const).map((kind) => Object.keys(body[kind]).length);
  const what = `${counts[0]} views, ${counts[1]} feature services`;
  const said = report.changed ? "applied as" : "unchanged:";
  const lines = [`${what} ${said} catalog version ${report.version}`, describeEverywhere(report)];
  return { data: report, text: lines.filter((line) => line !== undefined).join("\n") };
}
