import { TributaryError } from "@tributary/shared/contracts/errors";
import { serverNames } from "./find-binaries.ts";
import type { Servers } from "./servers.ts";

/** @throws TributaryError UNAVAILABLE naming a server that was started here and has died */
export function assertServersLive(servers: Servers): void {
  const dead = serverNames.find((name) => isOurs(servers, name) && servers[name].pid === undefined);
  if (dead === undefined) return;
  throw new TributaryError("UNAVAILABLE", `${dead} has died; its log is in ${servers.directory}/logs`);
}

function isOurs({ versions }: Servers, name: keyof Servers["versions"]): boolean {
  return versions[name] !== undefined && versions[name] !== "external";
}
