import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { moduleExtension } from "./node-command.ts";
import type { Servers } from "./servers.ts";

export type ServiceName = "batch-runner" | "stream-processor" | "direct-gateway" | "online-store";
export const serviceNames: readonly ServiceName[] = [
  "batch-runner",
  "stream-processor",
  "direct-gateway",
  "online-store",
];

/** One process to keep alive. It tells that it is ready by a JSON log line on standard error with `"msg":"ready"`. */
export interface ServiceSpec {
  /** Also the name of its log and of its row in the process table. */
  readonly name: string;
  /** Path of the module that `node` runs. */
  readonly entry: string;
  readonly environment: Readonly<Record<string, string>>;
  /** It listens on the port that it finds in HTTP_PORT. */
  readonly http: boolean;
}

/**
 * How to run an instance against these servers, each with no more addresses than it needs.
 * `name` is a service's name for its first instance, or with a number behind it: `stream-processor-2`.
 */
export function serviceSpec(name: string, servers: Servers): ServiceSpec {
  const service = serviceNames.find((known) => name === known || /^-\d+$/.test(name.replace(known, "")));
  if (service === undefined) throw new TributaryError("BAD_CONFIG", `there is no service "${name}"`);
  return {
    name,
    entry: entryOf(service),
    environment: {
      NATS_URL: servers.nats.url(service),
      TRIBUTARY_INSTANCE: name === service ? `${service}-1` : name,
      ...addresses(service, servers),
    },
    http: service === "direct-gateway" || service === "online-store",
  };
}

function addresses(service: ServiceName, servers: Servers): Record<string, string> {
  switch (service) {
    case "batch-runner":
      return { DATABASE_URL: servers.postgres.url, TRIBUTARY_LAKE: join(servers.directory, "lake"), ...sourceUrls() };
    case "stream-processor":
      return { DATABASE_URL: servers.postgres.url };
    case "online-store":
      return { REDIS_URL: servers.redis.url };
    case "direct-gateway":
      return {};
    default:
      return service satisfies never;
  }
}

/** The one thing of our own environment that a service gets: where the table sources of PostgreSQL are. */
function sourceUrls(): Record<string, string> {
  const given = Object.entries(process.env).filter(([name]) => /^SOURCE_[A-Z][A-Z0-9_]*_URL(_FILE)?$/.test(name));
  return Object.fromEntries(given.flatMap(([name, url]) => (url === undefined ? [] : [[name, url]])));
}

/**
 * In a clone the sources beside this package; where packages are installed, the compiled service of that name.
 * @throws TributaryError BAD_CONFIG when its package is not installed
 */
function entryOf(service: ServiceName): string {
  if (moduleExtension === ".ts") {
    return fileURLToPath(new URL(`../../../services/${service}/src/main.ts`, import.meta.url));
  }
  const name = `@tributary/${service}`;
  try {
    return fileURLToPath(import.meta.resolve(`${name}/main`));
  } catch (error) {
    throw new TributaryError("BAD_CONFIG", `${name} is not installed here: add it to the devDependencies`, {
      cause: error,
    });
  }
}
