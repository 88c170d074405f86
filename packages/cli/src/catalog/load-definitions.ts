import { access } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { CatalogBody } from "@tributary/shared/contracts/catalog";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { compileDefinitions } from "@tributary/shared/definitions/compile";

/**
 * Runs a definitions module (TypeScript or JavaScript) and compiles what it exports.
 * @throws TributaryError INVALID_DEFINITION naming the file, or listing every problem of the definitions
 */
export async function loadDefinitions(file: string): Promise<CatalogBody> {
  const path = resolve(file);
  try {
    await access(path);
  } catch (error) {
    throw new TributaryError("INVALID_DEFINITION", `there is no readable file ${file}`, { cause: error });
  }
  const exported = await importModule(path, file);
  return compileDefinitions(Object.values(exported));
}

async function importModule(path: string, file: string): Promise<Record<string, unknown>> {
  const url = pathToFileURL(path).href;
  try {
    if (!/\.[cm]?ts$/.test(path)) return await import(url);
    // Only who applies TypeScript pays for the loader.
    const { tsImport } = await import("tsx/esm/api");
    return await tsImport(url, import.meta.url);
  } catch (error) {
    if (error instanceof TributaryError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new TributaryError("INVALID_DEFINITION", `${file} cannot be loaded: ${why}`, { cause: error });
  }
}
