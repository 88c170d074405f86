// Packages with a part for each platform. A lock made on another platform may lack ours, and then npm leaves it out
// without a word. What does not load is installed at the version that the locked package asks for.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { keepLock, readLock, runNpm } from "./packages.mjs";
import { say } from "./run-node.mjs";

/** The package whose optionalDependencies name the platforms' parts, and what proves that ours works. */
const nativeModules = [
  { name: "@duckdb/node-bindings", proof: 'require("@duckdb/node-bindings")' },
  { name: "esbuild", proof: 'require("esbuild").transformSync("let x: number", { loader: "ts" })' },
  { name: "rolldown", proof: 'import("rolldown").catch((error) => { console.error(error); process.exit(1); })' },
];

export function ensureNativeModules(root) {
  const stampFile = join(root, "node_modules/.tributary-native");
  const lockFile = join(root, "package-lock.json");
  const stamp = `${process.version} ${platformOf(process)} ${readFileSync(lockFile, "utf8").length}`;
  if (readText(stampFile) === stamp) return;
  const broken = nativeModules.filter((module) => failureOf(root, module) !== undefined);
  if (broken.length > 0) installParts(root, broken);
  for (const module of broken) {
    const failure = failureOf(root, module);
    if (failure !== undefined) throw new Error(`${module.name} does not load on ${platformOf(process)}:\n${failure}`);
  }
  writeFileSync(stampFile, stamp);
}

function installParts(root, broken) {
  const lockFile = join(root, "package-lock.json");
  const lock = readLock(lockFile);
  const parts = broken.flatMap((module) => partsFor(lock, module.name, platformOf(process)));
  if (parts.length === 0) return;
  say(`Installing what this platform lacks: ${parts.join(", ")} …`);
  const before = readFileSync(lockFile);
  runNpm(root, ["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", ...parts]);
  keepLock(lockFile, before);
}

/** `name@version` of the parts that the locked package has for a platform such as `linux-x64-musl`. */
export function partsFor(lock, name, platform) {
  const [system, processor, library] = platform.split("-");
  const fits = new RegExp(`(^|[-/])${system}-${processor}(-(${library}))?$`);
  const optional = lock.packages[`node_modules/${name}`]?.optionalDependencies ?? {};
  return Object.entries(optional)
    .filter(([part]) => fits.test(part))
    .map(([part, version]) => `${part}@${version}`);
}

/** For example `darwin-arm64`, `linux-x64-gnu`, `linux-x64-musl`. */
export function platformOf({ platform, arch, report }) {
  if (platform === "win32") return `win32-${arch}-msvc`;
  if (platform !== "linux") return `${platform}-${arch}`;
  return `linux-${arch}-${report?.getReport().header.glibcVersionRuntime === undefined ? "musl" : "gnu"}`;
}

function failureOf(root, module) {
  const { status, stderr } = spawnSync(process.execPath, ["-e", module.proof], { cwd: root, encoding: "utf8" });
  return status === 0 ? undefined : stderr.slice(-2_000);
}

function readText(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined; // never checked here
  }
}
