import { planCatalog } from "../catalog/plan.ts";
import { showPlan } from "../catalog/show-plan.ts";
import { versionNumber } from "../catalog/version-number.ts";
import { withHistory } from "../catalog/with-history.ts";
import type { Invocation } from "../command.ts";
import type { CommandResult } from "../output.ts";

/** What would have to change to come from one version to the other, whatever lay between them. */
export async function run({ args, settings, output }: Invocation): Promise<CommandResult> {
  const [from, to] = [versionNumber(args[0] ?? ""), versionNumber(args[1] ?? "")];
  const plan = await withHistory(settings, async (history) => {
    const [before, after] = [await history.read(from), await history.read(to)];
    return planCatalog(before.body, after.body);
  });
  return {
    data: { from, to, ...plan },
    text: `from catalog version ${from} to ${to}\n\n${showPlan(plan, output.colors)}`,
  };
}
