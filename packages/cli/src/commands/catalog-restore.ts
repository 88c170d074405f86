import { author } from "../catalog/author.ts";
import { describeEverywhere } from "../catalog/everywhere.ts";
import { type RestoreReport, restoreCatalog } from "../catalog/restore.ts";
import { showPlan } from "../catalog/show-plan.ts";
import { versionNumber } from "../catalog/version-number.ts";
import type { Invocation } from "../command.ts";
import type { CommandResult } from "../output.ts";
import type { ApplyFlags } from "./apply.ts";

/** The plan goes to standard error before it is carried out or refused; under `--json` it is part of the data. */
export async function run({ args, options, settings, output }: Invocation<ApplyFlags>): Promise<CommandResult> {
  const report = await restoreCatalog(versionNumber(args[0] ?? ""), {
    natsUrl: settings.adminNatsUrl(),
    databaseUrl: settings.databaseUrl(),
    author: author(),
    message: options.message,
    allowDestroy: options.allowDestroy,
    ...(options.wait === false && { waitMs: 0 }),
    ...(!output.json && { onPlan: (plan) => output.note(`${showPlan(plan, output.colors)}\n`) }),
  });
  return { data: report, text: describe(report) };
}

function describe(report: RestoreReport): string {
  const { restored, version, changed, raised } = report;
  const said = changed
    ? `version ${restored} is restored as catalog version ${version}`
    : `unchanged: catalog version ${version} says the same as version ${restored}`;
  const others = raised.map(
    ({ what, name, from, to }) => `${what} ${name} has version ${to} instead of ${from}: say so in your definitions`,
  );
  return [said, ...others, describeEverywhere(report)].filter((line) => line !== undefined).join("\n");
}
