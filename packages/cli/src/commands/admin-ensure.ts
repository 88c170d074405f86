import { ensureEnvironment } from "../admin/ensure.ts";
import type { Invocation } from "../command.ts";
import type { CommandResult } from "../output.ts";

export async function run({ settings }: Invocation): Promise<CommandResult> {
  const report = await ensureEnvironment({
    natsUrl: settings.adminNatsUrl(),
    databaseUrl: settings.databaseUrl(),
  });
  const resources = (report.nats?.resources ?? []).map(({ kind, name, result }) => `${result}  ${kind} ${name}`);
  const applied = (report.database?.applied ?? []).map((name) => `applied   migration ${name}`);
  const verified = (report.database?.verified ?? []).map((name) => `verified  migration ${name}`);
  return { data: report, text: [...resources, ...verified, ...applied].join("\n") };
}
