import type { Connection } from "@tributary/shared/messaging/contract";
import { readCurrentCatalog } from "../catalog/current.ts";
import { type Process, type Roster, readRoster, serviceNames } from "../roster.ts";
import { type Check, checked, fail, ok, warn } from "./check.ts";
import { redisChecks } from "./redis-checks.ts";

export const allServices: readonly string[] = serviceNames;
/** The others keep their state in PostgreSQL. */
export const servicesWithoutDatabase: readonly string[] = ["direct-gateway", "online-store"];

/** Each service's answer, which catalog its processes go by, and Redis as the store sees it. */
export async function serviceChecks(
  connection: Connection,
  expected: readonly string[] = allServices,
): Promise<readonly Check[]> {
  const [roster, current] = await Promise.all([readRoster(connection), readCurrentCatalog(connection)]);
  const stores = roster.processes.filter(({ service }) => service === "online-store");
  const isWriterUp = stores.some(({ role }) => role !== "reads");
  return [
    ...expected.map((service) => answerCheck(roster, service)),
    ...rolesChecks(stores),
    ...(current === undefined ? [] : [followCheck(roster, current.version)]),
    ...(isWriterUp ? await checked("redis", () => redisChecks(connection)) : []),
  ];
}

export function answerCheck({ processes, silent }: Roster, service: string): Check {
  const versions = processes.filter((process) => process.service === service).map(({ version }) => version);
  if (versions.length > 0) {
    const count = versions.length === 1 ? "" : `${versions.length} processes, `;
    return ok(service, `${count}version ${[...new Set(versions)].join(", ")}`);
  }
  if (silent.includes(service)) {
    return fail(service, "is connected and does not answer", "it is frozen or overloaded: see its log, restart it");
  }
  return fail(service, "does not answer", "start it, or see its log for why it ended; `npm start` runs all four");
}

/** Nothing to tell where no store leaves anything to another one. */
export function rolesChecks(stores: readonly Process[]): readonly Check[] {
  if (!stores.some(({ role }) => role === "reads" || role === "writes")) return [];
  const name = "store roles";
  const hint = (missing: string) => `start one with STORE_ROLE=${missing}, or one without STORE_ROLE`;
  if (stores.every(({ role }) => role === "reads"))
    return [fail(name, "every store only reads: rows wait in their streams", hint("writes"))];
  if (stores.every(({ role }) => role === "writes"))
    return [fail(name, "every store only writes: nobody answers reads", hint("reads"))];
  return [ok(name, "there are stores that read and stores that write")];
}

export function followCheck({ processes }: Roster, current: number): Check {
  const name = "catalog everywhere";
  const behind = processes.filter(({ catalogVersion }) => catalogVersion !== null && catalogVersion < current);
  if (behind.length === 0) return ok(name, `every process goes by version ${current}`);
  const names = behind.map(({ instance, service, catalogVersion }) => `${instance ?? service} (${catalogVersion})`);
  const hint = "it takes up a version within seconds: see its log for why it cannot, or restart it";
  return warn(name, `behind version ${current}: ${names.join(", ")}`, hint);
}
