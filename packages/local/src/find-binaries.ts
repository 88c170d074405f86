import { accessSync, constants, existsSync, readdirSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";

export type ServerName = "nats" | "redis" | "postgres";
export const serverNames: readonly ServerName[] = ["nats", "redis", "postgres"];

export interface PostgresBinaries {
  readonly postgres: string;
  readonly initdb: string;
}

export interface Binaries {
  readonly nats?: string;
  readonly redis?: string;
  readonly postgres?: PostgresBinaries;
}

const usualPlaces = ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin", "/opt/homebrew/bin"];
const homes = ["/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt", "/usr/pgsql"];

/** The servers of this machine: on the PATH first, then where distributions put them. */
export function findBinaries(path = process.env.PATH ?? ""): Binaries {
  const places = [...path.split(delimiter).filter((place) => place !== ""), ...usualPlaces];
  const nats = find("nats-server", places);
  const redis = find("redis-server", places) ?? find("valkey-server", places);
  const postgres = findPostgres([...places, ...postgresPlaces()]);
  return { ...(nats && { nats }), ...(redis && { redis }), ...(postgres && { postgres }) };
}

/** Both programs of one installation: initdb of one version with the server of another does not start. */
function findPostgres(places: readonly string[]): PostgresBinaries | undefined {
  return places
    .map((place) => ({ postgres: find("postgres", [place]), initdb: find("initdb", [place]) }))
    .find((pair): pair is PostgresBinaries => pair.postgres !== undefined && pair.initdb !== undefined);
}

/** Newest version first. */
function postgresPlaces(): readonly string[] {
  const version = (path: string) => Number(/(\d+)(?:\/bin)?$/.exec(path)?.[1] ?? 0);
  return homes
    .filter((home) => existsSync(home))
    .flatMap((home) => readdirSync(home).map((name) => join(home, name, "bin")))
    .filter((place) => /postgresql|pgsql/.test(place))
    .sort((a, b) => version(b) - version(a));
}

function find(name: string, places: readonly string[]): string | undefined {
  return places.map((place) => join(place, name)).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false; // not there, or not ours to run
  }
}
