import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { plainEnvironment } from "./child.ts";
import type { Credentials } from "./credentials.ts";
import type { PostgresBinaries } from "./find-binaries.ts";
import { runCommand } from "./run-command.ts";
import type { ServerRecipe } from "./server-process.ts";
import { directoryFor, type ServerUser, unprivilegedUser } from "./server-user.ts";

export interface PostgresOptions {
  readonly directory: string;
  readonly credentials: Credentials;
  /** False: faster; commits outlive a killed server, but not a power cut. For tests. */
  readonly fsync: boolean;
}

/** One cluster with one database and one user, both `tributary`; TCP on loopback only (socket paths end at 107 bytes). */
export function postgresRecipe(binaries: PostgresBinaries, options: PostgresOptions): ServerRecipe {
  const user = unprivilegedUser();
  const home = directoryFor(user, options.directory);
  const data = join(home, "data");
  return {
    name: "postgres",
    stopSignal: "SIGINT", // "fast": rolls back what is open
    prepare: async (port) => {
      if (!existsSync(data)) await initialise(binaries, { ...options, home, user });
      writeOwned(join(data, "tributary.conf"), settings(port, options.fsync), user);
      return {
        name: "postgres",
        command: binaries.postgres,
        args: ["-D", data],
        environment: plainEnvironment(),
        workingDirectory: data,
        user,
      };
    },
    answers: async (port, pid) => isReady(join(data, "postmaster.pid"), port, pid),
  };
}

/** "postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)" → "15.14" */
export async function postgresVersion(binaries: PostgresBinaries): Promise<string> {
  const said = await runCommand(binaries.postgres, ["--version"]);
  return /\(PostgreSQL\) (\S+)/.exec(said)?.[1] ?? said.trim();
}

type Initialisation = PostgresOptions & { readonly home: string; readonly user: ServerUser | undefined };

/** Made beside and moved into place, so that a half-made cluster is never taken for a whole one. */
async function initialise(binaries: PostgresBinaries, options: Initialisation): Promise<void> {
  const { home, user } = options;
  const fresh = join(home, "data.new");
  const passwordFile = join(home, "password");
  const runOptions = { user, workingDirectory: home };
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  writeOwned(passwordFile, `${options.credentials("postgres")}\n`, user);
  const identity = ["--username=tributary", `--pwfile=${passwordFile}`, "--auth=scram-sha-256"];
  const format = ["--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"];
  await runCommand(binaries.initdb, ["-D", fresh, ...identity, ...format], runOptions);
  rmSync(passwordFile);
  writeOwned(join(fresh, "pg_hba.conf"), "host all all 127.0.0.1/32 scram-sha-256\n", user);
  const configFile = join(fresh, "postgresql.conf");
  writeOwned(configFile, `${readFileSync(configFile, "utf8")}\ninclude = 'tributary.conf'\n`, user);
  writeOwned(join(fresh, "tributary.conf"), settings(1, false), user);
  const createDatabase = { ...runOptions, input: "create database tributary\n" };
  await runCommand(binaries.postgres, ["--single", "-D", fresh, "postgres"], createDatabase);
  renameSync(fresh, join(home, "data"));
}

function settings(port: number, fsync: boolean): string {
  return `listen_addresses = '127.0.0.1'
port = ${port}
unix_socket_directories = ''
max_connections = 60
shared_buffers = 64MB
max_wal_size = 256MB
wal_level = minimal
max_wal_senders = 0
jit = off
log_timezone = 'UTC'
timezone = 'UTC'
fsync = ${fsync ? "on" : "off"}
full_page_writes = ${fsync ? "on" : "off"}
`;
}

/** Lines of postmaster.pid: 1 the process, 4 the port, 8 its state. */
function isReady(pidFile: string, port: number, pid: number): boolean {
  if (!existsSync(pidFile)) return false;
  const lines = readFileSync(pidFile, "utf8")
    .split("\n")
    .map((line) => line.trim());
  return lines[0] === String(pid) && lines[3] === String(port) && lines[7] === "ready";
}

function writeOwned(file: string, text: string, user: ServerUser | undefined): void {
  try {
    writeFileSync(file, text, { mode: 0o600 });
    if (user !== undefined) chownSync(file, user.uid, user.gid);
  } catch (error) {
    throw new TributaryError("UNAVAILABLE", `cannot write ${file}: ${(error as Error).message}`, { cause: error });
  }
}
