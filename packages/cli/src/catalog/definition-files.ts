import { readdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { DefinitionError, pathForPeople } from "@tributary/shared/definitions/problems";

/**
 * The modules that a path names: the file itself, or of a folder every TypeScript and JavaScript module directly in it,
 * in order of their names, but no tests, declarations or configurations.
 * @throws DefinitionError INVALID_DEFINITION naming what is not there
 */
export async function definitionFiles(path: string): Promise<string[]> {
  const absolute = resolve(path);
  const found = await stat(absolute).catch(() => undefined);
  if (found === undefined) throw refusal(`there is no file ${path}; name the module with your definitions`);
  if (!found.isDirectory()) return [absolute];
  const names = (await readdir(absolute)).filter(isModule).sort();
  if (names.length === 0)
    throw refusal(`the folder ${path} holds no modules (*.ts, *.js); name the one with your definitions`);
  return names.map((name) => join(absolute, name));
}

/** One error about files, in the form of the others. */
export function refusal(
  problem: string,
  place: { readonly file?: string; readonly line?: number } = {},
): DefinitionError {
  const { file, line } = place;
  return new DefinitionError([
    { ...(file !== undefined && { file: pathForPeople(file) }), ...(line !== undefined && { line }), problem },
  ]);
}

function isModule(name: string): boolean {
  return /\.[cm]?[jt]s$/.test(name) && !/^\.|\.d\.[cm]?ts$|\.(test|spec|config)\.[cm]?[jt]s$|\.test-d\.ts$/.test(name);
}
