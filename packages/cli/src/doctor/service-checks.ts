import type { Connection } from "@tributary/shared/messaging/contract";
import { readCurrentCatalog } from "../catalog/current.ts";
import { type Roster, readRoster, serviceNames } from "../roster.ts";
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
  const isStoreUp = roster.processes.some(({ service }) => service === "online-store");
  return [
    ...expected.map((service) => answerCheck(roster, service)),
    ...(current === undefined ? [] : [followCheck(roster, current.version)]),
    ...(isStoreUp ? await checked("redis", () => redisChecks(connection)) : []),
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

export function followCheck({ processes }: Roster, current: number): Check {
  const name = "catalog everywhere";
  const behind = processes.filter(({ catalogVersion }) => catalogVersion !== null && catalogVersion < current);
  if (behind.length === 0) return ok(name, `every process goes by version ${current}`);
  const names = behind.map(({ instance, service, catalogVersion }) => `${instance ?? service} (${catalogVersion})`);
  const hint = "it takes up a version within seconds: see its log for why it cannot, or restart it";
  return warn(name, `behind version ${current}: ${names.join(", ")}`, hint);
}
