import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative, resolve } from "node:path";
import { TributaryError } from "@tributary/shared/contracts/errors";

/**
 * PostgreSQL refuses to run as root. Then it runs as `postgres`, or as `nobody`, and its data must lie where that user
 * may go: under the data directory if the way there is open, else (a clone below /root) under the temporary directory,
 * at a place that `postgres.directory` remembers.
 */
export interface ServerUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

const noteName = "postgres.directory";
const relocatedPrefix = "tributary-postgres-";

/** Undefined unless we are root. @throws TributaryError BAD_CONFIG when the machine has no such user */
export function unprivilegedUser(): ServerUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const users = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"))
    .map(([name = "", , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }));
  const user = users.find(({ name }) => name === "postgres") ?? users.find(({ name }) => name === "nobody");
  if (user !== undefined && user.uid > 0) return user;
  throw new TributaryError(
    "BAD_CONFIG",
    "PostgreSQL refuses root, and there is no user postgres or nobody to run it as",
  );
}

/** A directory that only this user can read, made if it is not there. */
export function directoryFor(user: ServerUser | undefined, directory: string): string {
  const wanted = resolve(directory, "postgres");
  if (user === undefined) {
    mkdirSync(wanted, { recursive: true, mode: 0o700 });
    return wanted;
  }
  mkdirSync(directory, { recursive: true });
  openTheWay(directory);
  return wayIsOpen(directory) ? owned(wanted, user) : elsewhere(directory, user);
}

/** The data directory itself, and our own directories of the temporary folder, may be passed through (not listed). */
function openTheWay(directory: string): void {
  const chain = [resolve(directory), ...ancestors(resolve(directory)).filter(isBelowTemporary)];
  for (const path of chain) {
    const { mode, uid } = statSync(path);
    if (uid === process.getuid?.() && (mode & 0o001) === 0) chmodSync(path, (mode & 0o7777) | 0o001);
  }
}

function wayIsOpen(directory: string): boolean {
  return [resolve(directory), ...ancestors(resolve(directory))].every((path) => (statSync(path).mode & 0o001) !== 0);
}

/** Where PostgreSQL's data lies when it could not lie below the data directory. */
export function relocatedDirectory(directory: string): string | undefined {
  const note = join(directory, noteName);
  const known = existsSync(note) ? readFileSync(note, "utf8").trim() : "";
  return basename(known).startsWith(relocatedPrefix) && existsSync(known) ? known : undefined;
}

function elsewhere(directory: string, user: ServerUser): string {
  const known = relocatedDirectory(directory);
  if (known !== undefined && statSync(known).uid === user.uid) return known;
  const made = mkdtempSync(join(tmpdir(), relocatedPrefix));
  writeFileSync(join(directory, noteName), `${made}\n`);
  return owned(made, user);
}

function owned(directory: string, user: ServerUser): string {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  chownSync(directory, user.uid, user.gid);
  return directory;
}

function ancestors(path: string): readonly string[] {
  const parent = dirname(path);
  return parent === path ? [] : [parent, ...ancestors(parent)];
}

function isBelowTemporary(path: string): boolean {
  const way = relative(tmpdir(), path);
  return way !== "" && !way.startsWith("..");
}
