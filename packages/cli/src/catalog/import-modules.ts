import { readFile } from "node:fs/promises";
import { dirname, extname, join } from "node:path";
import { pathToFileURL } from "node:url";

/** A module's exports by name. */
export type Exports = Readonly<Record<string, unknown>>;

/**
 * Runs modules in one graph, so that what two of them import is one thing. TypeScript is compiled on loading, without a
 * check of its types.
 * @throws what the modules throw
 */
export async function importModules(paths: readonly string[]): Promise<Exports[]> {
  // Only who loads TypeScript pays for the loader.
  if (paths.every((path) => /\.[cm]?js$/.test(path))) return inOrder(paths, (path) => import(pathToFileURL(path).href));
  const isCommon = await Promise.all(paths.map(isCommonJs));
  const namespace = `definitions-${process.pid}-${loads++}`;
  return isCommon.every(Boolean) ? requireAll(paths, namespace) : importAll(paths, namespace);
}

let loads = 0;

async function importAll(paths: readonly string[], namespace: string): Promise<Exports[]> {
  const { register } = await import("tsx/esm/api");
  const loader = register({ namespace });
  return inOrder(paths, (path) => loader.import(pathToFileURL(path).href, import.meta.url));
}

/** The loader for ES modules gives CommonJS no lines. */
async function requireAll(paths: readonly string[], namespace: string): Promise<Exports[]> {
  const { register } = await import("tsx/cjs/api");
  const loader = register({ namespace });
  return paths.map((path) => loader.require(path, import.meta.url) as Exports);
}

async function inOrder(paths: readonly string[], load: (path: string) => Promise<Exports>): Promise<Exports[]> {
  const modules: Exports[] = [];
  for (const path of paths) modules.push(await load(path));
  return modules;
}

/** As Node.js decides: by the extension, else by the nearest package.json. */
async function isCommonJs(path: string): Promise<boolean> {
  const extension = extname(path);
  if (extension !== ".ts" && extension !== ".js") return extension.startsWith(".c");
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const text = await readFile(join(folder, "package.json"), "utf8").catch(() => undefined);
    if (text !== undefined) return !/"type"\s*:\s*"module"/.test(text);
    if (folder === dirname(folder)) return true;
  }
}
