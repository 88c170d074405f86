// The packages of package-lock.json. npm writes what it has installed to node_modules/.package-lock.json as the last
// thing it does, so comparing the two tells whether an install is missing, stale or was interrupted.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { say } from "./run-node.mjs";

export function ensurePackages(root) {
  const wanted = readLock(join(root, "package-lock.json"));
  const why = stalenessOf(wanted, readLock(join(root, "node_modules/.package-lock.json")));
  if (why === undefined) return;
  say(`Installing packages (${why}) …`);
  const before = readFileSync(join(root, "package-lock.json"));
  // `npm ci` refuses a lock that a registry has left without other platforms' packages; scripts are never run.
  runNpm(root, ["install", "--ignore-scripts", "--no-audit", "--no-fund"]);
  keepLock(join(root, "package-lock.json"), before);
}

/** Why the packages have to be installed; undefined when they are as the lock says. Optional ones may be missing. */
export function stalenessOf(wanted, installed) {
  if (wanted === undefined) throw new Error("package-lock.json is missing: this is not a whole clone");
  if (installed === undefined) return "none are there";
  const differs = Object.entries(wanted.packages).find(([path, entry]) => {
    if (path === "" || entry.optional || entry.devOptional || entry.extraneous) return false;
    const found = installed.packages[path];
    return found === undefined || found.version !== entry.version || found.link !== entry.link;
  });
  return differs === undefined ? undefined : `${differs[0].replace(/^.*node_modules\//, "")} is not the locked one`;
}

export function runNpm(root, args) {
  const npm = process.env.npm_execpath;
  const [command, ...first] = npm?.endsWith(".js") ? [process.execPath, npm] : ["npm"];
  // Standard output belongs to the command that runs afterwards.
  const { status, error } = spawnSync(command, [...first, ...args], { cwd: root, stdio: ["ignore", 2, 2] });
  if (status !== 0) throw new Error(`npm ${args.join(" ")} failed (${error?.message ?? `exit code ${status}`})`);
}

export function keepLock(file, before) {
  if (before.equals(readFileSync(file))) return;
  writeFileSync(file, before);
  say("Warning: npm wanted to change package-lock.json; it was put back as it was.");
}

export function readLock(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
}
