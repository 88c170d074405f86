import { TributaryError } from "@tributary/shared/contracts/errors";
import type { Credentials } from "./credentials.ts";
import type { Binaries, ServerName } from "./find-binaries.ts";
import { natsRecipe, natsVersion } from "./nats-server.ts";
import { postgresRecipe, postgresVersion } from "./postgres-server.ts";
import { redisRecipe, redisVersion } from "./redis-server.ts";
import type { ServerProcess, ServerRecipe } from "./server-process.ts";

export interface RecipeOptions {
  readonly directory: string;
  readonly credentials: Credentials;
  readonly fsync: boolean;
}

export function serverRecipes(binaries: Binaries, options: RecipeOptions): Record<ServerName, () => ServerRecipe> {
  return {
    nats: () => natsRecipe(found("nats", binaries.nats), options.directory, options.credentials),
    redis: () => redisRecipe(found("redis", binaries.redis), options.directory, options.credentials),
    postgres: () => postgresRecipe(found("postgres", binaries.postgres), options),
  };
}

export interface VersionSources {
  readonly binaries: Binaries;
  readonly started: Readonly<Partial<Record<ServerName, ServerProcess>>>;
  readonly credentials: Credentials;
}

/** The version a running server tells; "external" for one that somebody else runs. */
export async function versionOf(name: ServerName, sources: VersionSources): Promise<string> {
  const port = sources.started[name]?.port;
  if (port === undefined) return "external";
  switch (name) {
    case "nats":
      return (await natsVersion({ host: "127.0.0.1", port })) ?? "unknown";
    case "redis":
      return (await redisVersion({ host: "127.0.0.1", port }, sources.credentials("redis"))) ?? "unknown";
    case "postgres":
      return postgresVersion(found("postgres", sources.binaries.postgres));
    default:
      return name satisfies never;
  }
}

function found<T>(name: ServerName, binary: T | undefined): T {
  if (binary !== undefined) return binary;
  throw new TributaryError("UNAVAILABLE", `${name}: no such server on this machine`);
}
