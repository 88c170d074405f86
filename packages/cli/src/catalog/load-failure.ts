import { TributaryError } from "@tributary/shared/contracts/errors";
import { placeInStack } from "@tributary/shared/definitions/place";
import { type DefinitionError, pathForPeople } from "@tributary/shared/definitions/problems";
import { refusal } from "./definition-files.ts";

/** What made a definitions module fail to load, with its place and what to do. */
export function loadFailure(thrown: unknown, path: string): TributaryError {
  if (thrown instanceof TributaryError) return thrown;
  if (!(thrown instanceof Error))
    return refusal(`throws ${thrown === null ? "null" : `a ${typeof thrown}`}, not an Error`, { file: path });
  return doesNotParse(thrown) ?? missingImport(thrown, path) ?? brokenImport(thrown, path) ?? failure(thrown, path);
}

/** The compiler says `file:line:column: ERROR: what`. */
function doesNotParse({ message }: Error): DefinitionError | undefined {
  const found = /^(.+?):(\d+):\d+: ERROR: (.+)$/m.exec(message);
  if (!found) return undefined;
  const [, file = "", line, what = ""] = found;
  const hint = what.includes("Top-level await")
    ? `cannot await at its top: it is a CommonJS module; say "type": "module" in package.json, or name it .mts`
    : `does not parse: ${what}`;
  return refusal(hint, { file, line: Number(line) });
}

function missingImport(error: Error & { readonly code?: string }, path: string): DefinitionError | undefined {
  if (error.code !== "ERR_MODULE_NOT_FOUND" && error.code !== "MODULE_NOT_FOUND") return undefined;
  const found = /^Cannot find (?:module|package) '(.+?)'(?:(?: imported from |\nRequire stack:\n- )(.+))?/.exec(
    error.message,
  );
  const [, wanted = "", from = path] = found ?? [];
  const isFile = /^[./]|^file:|^[A-Za-z]:/.test(wanted);
  const hint = isFile
    ? `imports ${wanted.startsWith(".") ? wanted : pathForPeople(wanted)}, which is not there; check the path and its extension`
    : `imports "${wanted}", which is not installed; add it to the dependencies in package.json`;
  return refusal(hint, { file: withoutQuery(from) });
}

/** Node.js names the place of such an error in the first line of its stack, if anywhere. */
function brokenImport(error: Error, path: string): DefinitionError | undefined {
  if (!(error instanceof SyntaxError)) return undefined;
  const [, file, line] = /^(?:file:\/\/)?(\/.+?|[A-Za-z]:.+?):(\d+)$/m.exec(error.stack?.split("\n", 1)[0] ?? "") ?? [];
  if (file === undefined)
    return refusal(`does not parse: ${error.message}; node --check ${pathForPeople(path)} shows where`, { file: path });
  const why = error.message.replace(
    /^The requested module '(.+)' does not provide an export named '(.+)'$/,
    'imports "$2" of "$1", which exports no such name; check the spelling',
  );
  return refusal(why === error.message ? `does not parse: ${why}` : why, {
    file: withoutQuery(file),
    line: Number(line),
  });
}

function failure(error: Error, path: string): DefinitionError {
  return refusal(`cannot be loaded: ${error.name}: ${error.message}`, placeInStack(error.stack) ?? { file: path });
}

function withoutQuery(address: string): string {
  return address.replace(/\?.*$/, "");
}
