import { mkdirSync, readlinkSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { clearDirectory } from "@tributary/local/clear-directory";
import { environmentOf, writeEnvironmentFile } from "@tributary/local/environment-file";
import { ownerOf } from "@tributary/local/process-table";
import { openServers, type Servers } from "@tributary/local/servers";
import { type Services, startServices } from "@tributary/local/supervisor";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { ensureEnvironment } from "../admin/ensure.ts";

export interface DevServersOptions {
  /** `.tributary`: data, logs, addresses. */
  readonly directory: string;
  /** Begin with nothing. */
  readonly fresh: boolean;
  readonly yes: boolean;
  /** NATS_URL, REDIS_URL and DATABASE_URL name servers to use instead of private ones. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Servers with streams and tables. @throws TributaryError BAD_CONFIG when somebody runs here already, UNAVAILABLE */
export async function openDevServers({ directory, fresh, yes, environment }: DevServersOptions): Promise<Servers> {
  assertUsable(environment);
  assertAlone(directory);
  if (fresh) await clearDirectory(directory);
  const servers = await openServers({ directory, yes }, environment);
  try {
    await ensureEnvironment({ natsUrl: servers.nats.url("admin"), databaseUrl: servers.postgres.url });
    return servers;
  } catch (error) {
    await servers.stop();
    throw error;
  }
}

function assertUsable({ DATABASE_URL }: DevServersOptions["environment"]): void {
  if (DATABASE_URL !== "none") return;
  throw new TributaryError(
    "BAD_CONFIG",
    "DATABASE_URL is none, and two of the services here need PostgreSQL: unset it",
  );
}

function assertAlone(directory: string): void {
  const owner = ownerOf(directory);
  if (owner === undefined) return;
  throw new TributaryError(
    "BAD_CONFIG",
    `process ${owner.pid} runs here already (${directory}): use that one, or end it with Ctrl-C or kill ${owner.pid}`,
  );
}

/** The services, with the folder `data` as the lake's `data/`, and where to find them. */
export async function startDevServices(servers: Servers, dataFolder: string): Promise<Services> {
  linkData(join(servers.directory, "lake"), dataFolder);
  const services = await startServices({ servers });
  const forget = writeEnvironmentFile(servers.directory, environmentOf(servers, services));
  return {
    ...services,
    stop: async () => {
      forget();
      await services.stop();
    },
  };
}

/** What the runner writes (refined, features, stage) stays out of the repository's folder. */
function linkData(lake: string, dataFolder: string): void {
  mkdirSync(lake, { recursive: true });
  const link = join(lake, "data");
  if (targetOf(link) === dataFolder) return;
  rmSync(link, { force: true });
  symlinkSync(dataFolder, link);
}

function targetOf(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch {
    return undefined; // not there yet
  }
}
