import { resolve } from "node:path";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { type Credentials, openCredentials } from "./credentials.ts";
import { claimDirectory } from "./directory-claim.ts";
import { type ServerName, serverNames } from "./find-binaries.ts";
import { ensureBinaries } from "./install-servers.ts";
import { ServerProcess } from "./server-process.ts";
import { serverRecipes, versionOf } from "./server-recipes.ts";

/**
 * Private servers in one directory: free ports on loopback, random passwords, data that outlives a restart. No server
 * that already runs is touched, and nothing stays behind: see directory-claim.ts.
 */
export interface Server {
  readonly port: number;
  readonly pid: number | undefined;
  /** SIGKILL, as a crash; resolves when it is dead. */
  kill(): Promise<void>;
  /** On the same port with the same data; resolves when it answers. */
  start(): Promise<void>;
  /** Frozen: connections stay open, nothing answers. */
  pause(): void;
  resume(): void;
  stop(): Promise<void>;
}

export interface Servers {
  readonly directory: string;
  readonly nats: Server & { url(user: string): string };
  readonly redis: Server & { readonly url: string };
  readonly postgres: Server & { readonly url: string };
  /** Of the servers that were asked for. */
  readonly versions: Readonly<Partial<Record<ServerName, string>>>;
  stop(): Promise<void>;
}

export interface ServersOptions {
  readonly directory: string;
  /** Default: all three. */
  readonly need?: readonly ServerName[];
  /** False: PostgreSQL does not wait for the disk. For tests. Default true. */
  readonly fsync?: boolean;
  /** Install what is missing without asking. */
  readonly yes?: boolean;
}

export type ExternalUrls = Readonly<Partial<Record<ServerName, string>>>;

/** @throws TributaryError UNAVAILABLE when a server cannot be found or does not start, BAD_CONFIG when the directory is in use */
export function startServers(options: ServersOptions): Promise<Servers> {
  return open(options, {});
}

/** As `startServers`, but a server that NATS_URL, REDIS_URL or DATABASE_URL names is used and not started. */
export function openServers(
  options: ServersOptions,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<Servers> {
  const { NATS_URL: nats, REDIS_URL: redis, DATABASE_URL: postgres } = environment;
  return open(options, { ...(nats && { nats }), ...(redis && { redis }), ...(postgres && { postgres }) });
}

async function open(options: ServersOptions, external: ExternalUrls): Promise<Servers> {
  const directory = resolve(options.directory);
  const need = serverNames.filter((name) => (options.need ?? serverNames).includes(name));
  const own = need.filter((name) => external[name] === undefined);
  const binaries = await ensureBinaries(own, { yes: options.yes ?? false });
  const claim = await claimDirectory(directory);
  const credentials = openCredentials(directory);
  const recipes = serverRecipes(binaries, { directory, credentials, fsync: options.fsync ?? true });
  const started: StartedServers = Object.fromEntries(
    own.map((name) => [name, new ServerProcess(recipes[name](), directory)]),
  );
  const stop = async () => {
    await Promise.all(Object.values(started).map((server) => server.stop()));
    await claim.release();
  };
  try {
    await allOrFirstError(own.map((name) => started[name]?.start()));
    const versions = Object.fromEntries(
      await Promise.all(need.map(async (name) => [name, await versionOf(name, { binaries, started, credentials })])),
    );
    return { directory, versions, stop, ...handles({ started, external, credentials }) };
  } catch (error) {
    await stop();
    throw error;
  }
}

type StartedServers = Readonly<Partial<Record<ServerName, ServerProcess>>>;

interface Known {
  readonly started: StartedServers;
  readonly external: ExternalUrls;
  readonly credentials: Credentials;
}

function handles({ started, external, credentials }: Known): Pick<Servers, ServerName> {
  const address = (name: ServerName) => `127.0.0.1:${mustBeOurs(name, started).port}`;
  const login = (name: ServerName, user: string, key: string) => `${user}:${credentials(key)}@${address(name)}`;
  return {
    nats: handle("nats", started, {
      url: (user: string) => external.nats ?? `nats://${login("nats", user, `nats-${user}`)}`,
    }),
    redis: handle("redis", started, {
      get url() {
        return external.redis ?? `redis://${login("redis", "default", "redis")}`;
      },
    }),
    postgres: handle("postgres", started, {
      get url() {
        return external.postgres ?? `postgres://${login("postgres", "tributary", "postgres")}/tributary`;
      },
    }),
  };
}

/** The server's own methods beside its address; using a server that was not asked for says so. */
function handle<T extends object>(name: ServerName, started: StartedServers, address: T): Server & T {
  const server = () => mustBeOurs(name, started);
  return Object.defineProperties(
    {
      kill: () => server().kill(),
      start: () => server().start(),
      pause: () => server().pause(),
      resume: () => server().resume(),
      stop: () => server().stop(),
      get port() {
        return server().port;
      },
      get pid() {
        return server().pid;
      },
    } as Server & T,
    Object.getOwnPropertyDescriptors(address),
  );
}

function mustBeOurs(name: ServerName, started: StartedServers): ServerProcess {
  const server = started[name];
  if (server !== undefined) return server;
  throw new TributaryError("BAD_CONFIG", `${name} was not started here: not asked for, or an external server`);
}

/** Waits for all of them, also when one fails, so that none starts behind our back. */
async function allOrFirstError(work: readonly (Promise<void> | undefined)[]): Promise<void> {
  const settled = await Promise.allSettled(work);
  const failed = settled.find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}
