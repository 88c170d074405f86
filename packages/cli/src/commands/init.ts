import { existsSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { moduleExtension } from "@tributary/local/node-command";
import { TributaryError } from "@tributary/shared/contracts/errors";
import type { Invocation } from "../command.ts";
import { type Manifest, mergeManifest, parseManifest } from "../init/package-manifest.ts";
import { assertNoneExists, readTemplate, templateFiles, writeFiles } from "../init/repository-files.ts";
import { checkedName, nameOfFolder } from "../init/repository-name.ts";
import type { CommandResult } from "../output.ts";

export interface InitFlags {
  readonly name?: string;
  readonly force?: boolean;
}

/** Writes a small feature repository that works; all files or, when one is in the way, none. */
export async function run({ args, options, world, output }: Invocation<InitFlags>): Promise<CommandResult> {
  const folder = resolve(world.directory, args[0] ?? ".");
  const force = options.force ?? false;
  const given = options.name === undefined ? undefined : checkedName(options.name);
  const found = readManifest(folder);
  const name = given ?? found?.name ?? nameOfFolder(folder);
  const files = templateFiles(name);
  if (!force) assertNoneExists(folder, files);
  const template = parseManifest(readTemplate("package.json"));
  const { manifest, keptScripts } = mergeManifest(found ?? { name }, template, { name: given, force });
  const manifestFile = { path: "package.json", text: `${JSON.stringify(manifest, undefined, 2)}\n` };
  writeFiles(folder, [...files, manifestFile]);
  for (const script of keptScripts) output.note(`package.json keeps its own script "${script}"`);
  const written = [...files, manifestFile].map(({ path }) => path);
  const next = nextSteps(relative(world.directory, folder));
  const text = [`${name}: ${written.join(", ")}`, "", "next:", ...next.map((line) => `  ${line}`)].join("\n");
  return { data: { folder, name, written, keptScripts, next }, text };
}

/** @throws TributaryError BAD_CONFIG when it cannot be read as one */
function readManifest(folder: string): Manifest | undefined {
  const path = join(folder, "package.json");
  if (!existsSync(path)) return undefined;
  try {
    return parseManifest(readFileSync(path, "utf8"));
  } catch (error) {
    throw new TributaryError("BAD_CONFIG", `${path} is no package.json that npm would read: mend it first`, {
      cause: error,
    });
  }
}

function nextSteps(folder: string): string[] {
  return [
    ...(folder === "" ? [] : [`cd ${folder}`]),
    ...(moduleExtension === ".ts" ? installFromClone() : ["npm install"]),
    "npm run dev            servers, services and features.ts; Ctrl-C ends everything",
    "npm run read           in another terminal",
  ];
}

/** Called in a clone, the packages are those of the clone. */
function installFromClone(): string[] {
  const root = fileURLToPath(new URL("../../../..", import.meta.url));
  return [`npm --prefix ${root} run pack -- packages`, "npm install ./packages/*.tgz"];
}
