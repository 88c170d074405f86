import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { TributaryError } from "@tributary/shared/contracts/errors";

/**
 * Where the servers are: flags, then environment variables, then the file that a running `tributary dev` or `npm start` leaves in
 * `.tributary/`, here or in a folder above.
 */
export interface Settings {
  /** For reads, writes, events, status. @throws TributaryError BAD_CONFIG */
  natsUrl(): string;
  /** Of a user who may create and change. @throws TributaryError BAD_CONFIG */
  adminNatsUrl(): string;
  /** Undefined where there is none, see `hasDatabase`. @throws TributaryError BAD_CONFIG */
  databaseUrl(): string | undefined;
  /** False where DATABASE_URL is `none`: gateway and store run alone, and the catalog is kept in NATS. */
  readonly hasDatabase: boolean;
  readonly directory: string | undefined;
  /** Each setting as it is resolved, and where it came from; holds secrets. */
  readonly entries: readonly SettingEntry[];
}

export interface SettingEntry {
  readonly name: "natsUrl" | "adminNatsUrl" | "databaseUrl";
  readonly value: string | undefined;
  /** `--nats-url`, `NATS_URL`, the path of a file; undefined while it is not set. */
  readonly from: string | undefined;
}

export interface ConnectionFlags {
  readonly natsUrl?: string;
  readonly databaseUrl?: string;
}

type EnvironmentFile = Partial<Readonly<Record<SettingEntry["name"], string>>>;

export function readSettings(
  flags: ConnectionFlags,
  environment: Readonly<Record<string, string | undefined>>,
  workingDirectory: string,
): Settings {
  const directory = findDirectory(workingDirectory);
  const file = directory === undefined ? {} : readEnvironmentFile(directory);
  const path = directory === undefined ? "" : environmentPath(directory);
  const nats = flags.natsUrl ?? environment.NATS_URL;
  const database = flags.databaseUrl ?? environment.DATABASE_URL;
  const hasDatabase = (database ?? file.databaseUrl) !== noDatabase;
  return {
    natsUrl: () => required(nats ?? file.natsUrl, "NATS_URL", "--nats-url"),
    adminNatsUrl: () => required(nats ?? file.adminNatsUrl, "NATS_URL", "--nats-url"),
    databaseUrl: () =>
      hasDatabase ? required(database ?? file.databaseUrl, "DATABASE_URL", "--database-url") : undefined,
    hasDatabase,
    directory,
    entries: [
      entryOf("natsUrl", [flags.natsUrl, "--nats-url"], [environment.NATS_URL, "NATS_URL"], [file.natsUrl, path]),
      entryOf(
        "adminNatsUrl",
        [flags.natsUrl, "--nats-url"],
        [environment.NATS_URL, "NATS_URL"],
        [file.adminNatsUrl, path],
      ),
      entryOf(
        "databaseUrl",
        [flags.databaseUrl, "--database-url"],
        [environment.DATABASE_URL, "DATABASE_URL"],
        [file.databaseUrl, path],
      ),
    ],
  };
}

const noDatabase = "none";

type Candidate = readonly [value: string | undefined, from: string];

/** The first that is there. */
function entryOf(name: SettingEntry["name"], ...candidates: readonly Candidate[]): SettingEntry {
  const [value, from] = candidates.find(([candidate]) => candidate !== undefined) ?? [];
  return value === noDatabase ? { name, value: undefined, from: `${from} is ${noDatabase}` } : { name, value, from };
}

/** The nearest `.tributary` folder, from here upwards. */
function findDirectory(from: string): string | undefined {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    const candidate = join(folder, ".tributary");
    if (existsSync(environmentPath(candidate))) return candidate;
    if (dirname(folder) === folder) return undefined;
  }
}

function environmentPath(directory: string): string {
  return join(directory, "environment.json");
}

function readEnvironmentFile(directory: string): EnvironmentFile {
  const path = environmentPath(directory);
  try {
    return checkEnvironment(JSON.parse(readFileSync(path, "utf8")));
  } catch (error) {
    throw new TributaryError("BAD_CONFIG", `${path} is not readable as settings`, { cause: error });
  }
}

/** By hand: zod alone would take a third of the time in which the help is there. */
function checkEnvironment(parsed: unknown): EnvironmentFile {
  const { natsUrl, adminNatsUrl, databaseUrl } = parsed as Readonly<Record<string, unknown>>;
  for (const url of [natsUrl, adminNatsUrl, databaseUrl]) {
    if (url !== undefined && typeof url !== "string") throw new Error("an address is no text");
  }
  return { natsUrl, adminNatsUrl, databaseUrl } as EnvironmentFile;
}

function required(value: string | undefined, variable: string, flag: string): string {
  if (value !== undefined && value !== "") return value;
  const without = variable === "DATABASE_URL" ? `; DATABASE_URL=${noDatabase} where gateway and store run alone` : "";
  throw new TributaryError(
    "BAD_CONFIG",
    `${variable} is missing: set it, give ${flag}, or run \`tributary dev\` in another terminal${without}`,
  );
}
