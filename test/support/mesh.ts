import { readdirSync } from "node:fs";
import { join } from "node:path";
import { ensureEnvironment } from "@tributary/cli/admin/ensure";
import type { ServerName } from "@tributary/local/find-binaries";
import { lastLines } from "@tributary/local/log-tail";
import { openServers, type Servers } from "@tributary/local/servers";
import { type Services, type ServicesOptions, startServices } from "@tributary/local/supervisor";
import { onTestFailed } from "vitest";
import { temporaryDirectory } from "./temporary-directory.ts";

/** Servers, streams and tables, and services, for one test file. */
export interface Mesh {
  readonly directory: string;
  readonly servers: Servers;
  readonly services: Services;
  /** Inside a test: if it fails, the ends of all logs are printed. */
  printLogsOnFailure(): void;
  /** The last lines of every log. */
  logs(): string;
  stop(): Promise<void>;
}

export interface MeshOptions extends Omit<ServicesOptions, "servers" | "directory" | "names"> {
  /** Default: all three. */
  readonly need?: readonly ServerName[];
  /** Instances to start; default one of each service. */
  readonly services?: readonly string[];
  /** A Redis that the test has started itself. */
  readonly redisUrl?: string;
}

export async function startMesh(options: MeshOptions = {}): Promise<Mesh> {
  const { need = ["nats", "redis", "postgres"], services: names, redisUrl, ...serviceOptions } = options;
  const directory = temporaryDirectory("mesh");
  const servers = await openServers(
    { directory: directory.path, need, fsync: false },
    redisUrl === undefined ? {} : { REDIS_URL: redisUrl },
  );
  try {
    await ensureEnvironment({
      natsUrl: need.includes("nats") ? servers.nats.url("admin") : undefined,
      databaseUrl: need.includes("postgres") ? servers.postgres.url : undefined,
    });
    const services = await despiteTakenPorts(() =>
      startServices({ ...serviceOptions, servers, ...(names && { names }) }),
    );
    const stop = async () => {
      await services.stop();
      await servers.stop();
      directory.remove();
    };
    const logs = () => tails(directory.path);
    const printLogsOnFailure = () => onTestFailed(() => void process.stderr.write(logs()));
    return { directory: directory.path, servers, services, printLogsOnFailure, logs, stop };
  } catch (error) {
    process.stderr.write(tails(directory.path));
    await servers.stop();
    directory.remove();
    throw error;
  }
}

/** A port that was free a moment ago may be another test's by now. */
async function despiteTakenPorts<T>(start: () => Promise<T>, tries = 3): Promise<T> {
  try {
    return await start();
  } catch (error) {
    if (tries === 1 || !String(error).includes("cannot listen on")) throw error;
    return despiteTakenPorts(start, tries - 1);
  }
}

function tails(directory: string): string {
  const folder = join(directory, "logs");
  return readdirSync(folder)
    .map((file) => `── ${file}\n${lastLines(join(folder, file), 0, 40)}\n`)
    .join("");
}
