import type { Invocation } from "../command.ts";
import { brokerChecks } from "../doctor/broker-checks.ts";
import { type Check, checked, fail, ok } from "../doctor/check.ts";
import { databaseChecks } from "../doctor/database-checks.ts";
import { permissionChecks } from "../doctor/permission-checks.ts";
import { allServices, serviceChecks, servicesWithoutDatabase } from "../doctor/service-checks.ts";
import { isAtLeast } from "../doctor/version-floor.ts";
import { exitCodes } from "../exit-codes.ts";
import type { CommandResult, Output } from "../output.ts";
import { printable } from "../printable.ts";
import type { Settings } from "../settings.ts";
import { alignColumns } from "../table.ts";
import { withConnection } from "../with-connection.ts";

const nodeLeast = { major: 20, minor: 19 };

export async function run({ settings, output }: Invocation): Promise<CommandResult> {
  const groups = await Promise.all([
    [nodeCheck(process.version)],
    checked("nats", () => natsChecks(settings)),
    checked("postgresql", () => databaseCheck(settings)),
  ]);
  const checks = groups.flat();
  const exitCode = checks.some(({ state }) => state === "fail") ? exitCodes.failure : exitCodes.ok;
  const count = (state: Check["state"]) => checks.filter((check) => check.state === state).length;
  const summary = { ok: count("ok"), warn: count("warn"), fail: count("fail") };
  return { data: { healthy: exitCode === exitCodes.ok, summary, checks }, text: show(checks, output), exitCode };
}

/** What lives behind the broker is asked only when it answers: one cause, one line. */
async function natsChecks(settings: Settings): Promise<readonly Check[]> {
  const expected = settings.hasDatabase ? allServices : servicesWithoutDatabase;
  return withConnection(settings.adminNatsUrl(), async (connection) => {
    const groups = await Promise.all([
      checked("permissions", () => permissionChecks(settings, connection)),
      brokerChecks(connection),
      checked("services", () => serviceChecks(connection, expected)),
    ]);
    return [ok("nats", `answers as user "${connection.user}"`), ...groups.flat()];
  });
}

async function databaseCheck(settings: Settings): Promise<readonly Check[]> {
  const url = settings.databaseUrl();
  if (url !== undefined) return databaseChecks(url);
  return [ok("postgresql", "none, as DATABASE_URL says: only gateway and store are expected")];
}

export function nodeCheck(version: string): Check {
  if (isAtLeast(version, nodeLeast)) return ok("node", version);
  return fail("node", version, `upgrade to ${nodeLeast.major}.${nodeLeast.minor} or later`);
}

function show(checks: readonly Check[], { colors }: Output): string {
  const paint = { ok: colors.green, warn: colors.yellow, fail: colors.red };
  const lines = checks.map(({ name, state, what, hint }) => [
    paint[state](state.padEnd(4)),
    name,
    printable(hint === undefined ? what : `${what}; ${hint}`),
  ]);
  return alignColumns(lines);
}
