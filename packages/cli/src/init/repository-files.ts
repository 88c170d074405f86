import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { TributaryError } from "@tributary/shared/contracts/errors";

/** A file of a new feature repository; `path` is relative to its folder. */
export interface RepositoryFile {
  readonly path: string;
  readonly text: string;
}

export const templateDirectory = fileURLToPath(new URL("../../templates/feature-repository/", import.meta.url));

/** Every file of the template but package.json, which is merged with one that is there. */
export function templateFiles(name: string): readonly RepositoryFile[] {
  return readdirSync(templateDirectory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(templateDirectory.length))
    .filter((path) => path !== "package.json")
    .map((path) => ({ path: nameInRepository(path), text: readTemplate(path).replaceAll("{{name}}", name) }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

export function readTemplate(path: string): string {
  return readFileSync(join(templateDirectory, path), "utf8");
}

/** npm packs no file named `.gitignore`. */
function nameInRepository(path: string): string {
  return path === "gitignore" ? ".gitignore" : path;
}

/** @throws TributaryError BAD_CONFIG naming every file that is there already; then nothing is written */
export function assertNoneExists(folder: string, files: readonly RepositoryFile[]): void {
  const there = files.map(({ path }) => path).filter((path) => existsSync(join(folder, path)));
  if (there.length === 0) return;
  throw new TributaryError(
    "BAD_CONFIG",
    `nothing was written, because ${folder} has ${there.join(", ")} already: take another folder, or --force to replace them`,
  );
}

export function writeFiles(folder: string, files: readonly RepositoryFile[]): void {
  for (const { path, text } of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}
