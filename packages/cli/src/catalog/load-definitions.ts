import type { CatalogBody } from "@tributary/shared/contracts/catalog";
import { holdsDefinition } from "@tributary/shared/definitions/collect";
import { compileDefinitions } from "@tributary/shared/definitions/compile";
import { definitionFiles, refusal } from "./definition-files.ts";
import { type Exports, importModules } from "./import-modules.ts";
import { loadFailure } from "./load-failure.ts";

/** How long the modules may take to load: they describe, and have nothing to wait for. */
const loadMsMax = 30_000;

/**
 * Runs a definitions module (TypeScript or JavaScript), or every module directly in a folder, and compiles what they
 * export: definitions, lists and plain objects of them.
 * @throws DefinitionError INVALID_DEFINITION with the place of each problem
 */
export async function loadDefinitions(path: string, timeoutMs = loadMsMax): Promise<CatalogBody> {
  const files = await definitionFiles(path);
  const modules = await within(timeoutMs, importModules(files), path).catch((error: unknown) => {
    throw loadFailure(error, files[0] ?? path);
  });
  const exported = modules.flatMap((module) => Object.values(module));
  if (!holdsDefinition(exported))
    throw refusal(`${path} exports no definitions; export them: export const airport = entity(…)`);
  return compileDefinitions(exported);
}

/** An `await` at the top of a module may never end; what never gives the thread back cannot be helped. */
async function within(timeoutMs: number, loading: Promise<Exports[]>, path: string): Promise<Exports[]> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, fail) => {
    const late = () =>
      fail(refusal(`${path} is still loading after ${timeoutMs / 1_000} s; look for an await at its top`));
    timer = setTimeout(late, timeoutMs);
  });
  try {
    return await Promise.race([loading, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
