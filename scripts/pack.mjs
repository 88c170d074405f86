// The packages as npm would publish them: compiled, each a tarball. Installed together they need no registry for ours.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { runNpm } from "./packages.mjs";

const packed =
  /^tributary-(batch-runner|cli|client|direct-gateway|local|online-store|shared|stream-processor)-.*\.tgz$/;

/** Writes the tarballs to `destination`, in place of earlier ones. */
export function packPackages(root, destination) {
  compile(root);
  mkdirSync(destination, { recursive: true });
  for (const file of readdirSync(destination)) if (packed.test(file)) rmSync(join(destination, file));
  const workspaces = ["packages", "services"].flatMap((group) => packagesIn(root, group));
  const chosen = workspaces.flatMap((path) => ["--workspace", path]);
  runNpm(root, ["pack", "--ignore-scripts", "--silent", ...chosen, "--pack-destination", destination]);
}

function compile(root) {
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  const { status } = spawnSync(process.execPath, [compiler, "-b"], { cwd: root, stdio: ["ignore", 2, 2] });
  if (status !== 0) throw new Error("the packages do not compile: see above");
}

function packagesIn(root, group) {
  const names = readdirSync(join(root, group)).sort();
  return names.map((name) => `${group}/${name}`).filter((path) => existsSync(join(root, path, "package.json")));
}
