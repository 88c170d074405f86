import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export interface WorkingCopy {
  readonly path: string;
  remove(): void;
}

/** The working tree as it is now, without what git ignores; packages from outside are those of the original. */
export function copyWorkingTree(root: string): WorkingCopy {
  const path = mkdtempSync(join(tmpdir(), "tributary-mutants-"));
  const list = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: root });
  for (const file of list
    .toString()
    .split("\0")
    .filter((name) => name !== "" && existsSync(join(root, name)))) {
    mkdirSync(dirname(join(path, file)), { recursive: true });
    cpSync(join(root, file), join(path, file));
  }
  linkPackages(root, path);
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }) };
}

/** Our own packages are linked anew, so that they are those of the copy. */
function linkPackages(root: string, path: string): void {
  const [from, to] = [join(root, "node_modules"), join(path, "node_modules")];
  mkdirSync(join(to, own), { recursive: true });
  const names = readdirSync(from).filter((name) => name !== own && !name.startsWith(".vite"));
  for (const name of names) symlinkSync(join(from, name), join(to, name));
  for (const name of readdirSync(join(from, own)))
    symlinkSync(readlinkSync(join(from, own, name)), join(to, own, name));
}

const own = "@tributary";
