import { fingerprintOf } from "@tributary/shared/definitions/canonical-json";
import { openBucket } from "@tributary/shared/messaging/bucket";
import { readPast } from "../catalog/bucket-history.ts";
import { readLiveCatalog } from "../catalog/live-catalog.ts";
import { loadDefinitions } from "../catalog/load-definitions.ts";
import { needsConsent, planCatalog, problemsOf } from "../catalog/plan.ts";
import { showPlan } from "../catalog/show-plan.ts";
import type { Invocation } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import type { CommandResult } from "../output.ts";
import { withConnection } from "../with-connection.ts";

/** Reads the current catalog and changes nothing. A consent that `apply` would ask for is not an error here. */
export async function run({ args, settings, output }: Invocation): Promise<CommandResult> {
  const body = await loadDefinitions(args[0] ?? "");
  const { live, past } = await withConnection(settings.natsUrl(), async (connection) => {
    const bucket = await openBucket(connection, "TRIB_CATALOG");
    const found = await readLiveCatalog(bucket);
    return { live: found, past: await readPast(bucket, found) };
  });
  const plan = planCatalog(live.body, body, past);
  const problems = problemsOf(plan, { allowDestroy: true });
  const needsAllowDestroy = needsConsent(plan);
  const data = {
    current: live.version === 0 ? null : { version: live.version, fingerprint: live.fingerprint },
    fingerprint: fingerprintOf(body),
    changed: live.fingerprint !== fingerprintOf(body),
    applicable: problems.length === 0,
    needsAllowDestroy,
    problems,
    ...plan,
  };
  const against = live.version === 0 ? "no catalog is applied yet" : `against catalog version ${live.version}`;
  const text = `${against}\n\n${showPlan(plan, output.colors)}\n\n${verdict({ ...data, unchanged: !data.changed })}`;
  return { data, text, exitCode: problems.length === 0 ? exitCodes.ok : exitCodes.validation };
}

interface Verdict {
  readonly unchanged: boolean;
  readonly problems: readonly string[];
  readonly needsAllowDestroy: boolean;
}

function verdict({ unchanged, problems, needsAllowDestroy }: Verdict): string {
  if (problems.length > 0) return ["cannot be applied:", ...problems.map((line) => `  ${line}`)].join("\n");
  if (unchanged) return "unchanged: there is nothing to apply";
  return needsAllowDestroy ? "can be applied with --allow-destroy" : "can be applied";
}
