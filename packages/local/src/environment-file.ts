import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Servers } from "./servers.ts";
import type { Services } from "./supervisor.ts";

/** Where a running mesh is found, by the `tributary` command and by applications beside it. The URLs hold passwords. */
export interface Environment {
  /** As the user `client`: reads, writes, events. */
  readonly natsUrl: string;
  /** As the user `admin`: applies catalogs. */
  readonly adminNatsUrl: string;
  readonly databaseUrl: string;
  /** `http://127.0.0.1:<port>` */
  readonly storeUrl: string;
  readonly gatewayUrl: string;
}

export function environmentOf(servers: Servers, services: Services): Environment {
  return {
    natsUrl: servers.nats.url("client"),
    adminNatsUrl: servers.nats.url("admin"),
    databaseUrl: servers.postgres.url,
    storeUrl: services.httpUrl("online-store"),
    gatewayUrl: services.httpUrl("direct-gateway"),
  };
}

/** Writes `<directory>/environment.json`, for its owner alone; the function that is returned removes it. */
export function writeEnvironmentFile(directory: string, environment: Environment): () => void {
  const file = join(directory, "environment.json");
  writeFileSync(file, `${JSON.stringify(environment, null, 2)}\n`, { mode: 0o600 });
  return () => rmSync(file, { force: true });
}
