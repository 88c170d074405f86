import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

interface LockEntry {
  readonly dev?: boolean;
  readonly link?: boolean;
}

/** Compiles a service with what it needs, as an image build does. */
export async function compile(folders: readonly string[]): Promise<void> {
  await run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-b", ...folders], { cwd: root });
}

/** `npm pack`: the tarball's path. */
export async function pack(folder: string, destination: string): Promise<string> {
  mkdirSync(destination, { recursive: true });
  const { stdout } = await npm(["pack", "--ignore-scripts", "--json", "--pack-destination", destination], folder);
  const [packed] = JSON.parse(stdout) as { filename: string }[];
  return join(destination, packed?.filename ?? "");
}

/** Installs tarballs into an empty folder, each dependency at the version of our lock, nothing for development. */
export async function install(folder: string, tarballs: Readonly<Record<string, string>>): Promise<void> {
  mkdirSync(folder);
  const dependencies = Object.fromEntries(
    Object.entries(tarballs).map(([path, file]) => [nameOf(path), `file:${file}`]),
  );
  writeJson(join(folder, "package.json"), { name: "deployed", version: "1.0.0", private: true, dependencies });
  writeJson(join(folder, "package-lock.json"), lockFor(dependencies, Object.keys(tarballs)));
  await npm(["install", "--omit=dev", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"], folder);
}

/** Names of everything installed, wherever it lies. */
export function installedPackages(folder: string): readonly string[] {
  const modules = join(folder, "node_modules");
  if (!existsSync(modules)) return [];
  const names = readdirSync(modules).filter((name) => !name.startsWith("."));
  const all = names.flatMap((name) =>
    name.startsWith("@") ? readdirSync(join(modules, name)).map((part) => `${name}/${part}`) : [name],
  );
  return all.flatMap((name) => [name, ...installedPackages(join(modules, name))]);
}

/** Our lock without workspaces and tools; npm itself drops what these tarballs do not need. */
function lockFor(dependencies: Record<string, string>, folders: readonly string[]) {
  const ours = readJson<{ packages: Record<string, LockEntry> }>(join(root, "package-lock.json")).packages;
  const registry = Object.entries(ours).filter(
    ([path, entry]) => path.startsWith("node_modules/") && !entry.link && !entry.dev,
  );
  const local = folders.map((path) => {
    const manifest = readJson<Manifest>(join(root, path, "package.json"));
    const { name, version, dependencies: needs } = manifest;
    return [`node_modules/${name}`, { version, resolved: dependencies[name], dependencies: needs }] as const;
  });
  const packages = { "": { name: "deployed", version: "1.0.0", dependencies }, ...Object.fromEntries(registry) };
  return {
    name: "deployed",
    version: "1.0.0",
    lockfileVersion: 3,
    requires: true,
    packages: { ...packages, ...Object.fromEntries(local) },
  };
}

function nameOf(path: string): string {
  return readJson<Manifest>(join(root, path, "package.json")).name;
}

function npm(args: readonly string[], folder: string) {
  return run("npm", [...args], {
    cwd: folder.startsWith("/") ? folder : join(root, folder),
    maxBuffer: 16 * 1024 ** 2,
  });
}

function readJson<T>(file: string): T {
  return JSON.parse(readFileSync(file, "utf8")) as T;
}

function writeJson(file: string, value: unknown): void {
  writeFileSync(file, `${JSON.stringify(value, undefined, 2)}\n`);
}
