import { TributaryError } from "@tributary/shared/contracts/errors";
import { z } from "zod";

const textsSchema = z.record(z.string(), z.string()).optional();
const manifestSchema = z.looseObject({
  name: z.string().optional(),
  type: z.string().optional(),
  scripts: textsSchema,
  dependencies: textsSchema,
  devDependencies: textsSchema,
});
export type Manifest = z.infer<typeof manifestSchema>;

/** As it was written, its keys in their order. @throws SyntaxError, ZodError */
export function parseManifest(text: string): Manifest {
  const manifest: unknown = JSON.parse(text);
  manifestSchema.parse(manifest);
  return manifest as Manifest;
}

export interface MergeOptions {
  /** Undefined: the name that is there stays. */
  readonly name: string | undefined;
  readonly force: boolean;
}

export interface MergedManifest {
  readonly manifest: Manifest;
  /** Scripts of the same name that were left as they are. */
  readonly keptScripts: readonly string[];
}

/**
 * A package.json with what a feature repository needs. Of one that is there only what is missing is added, so that packages
 * installed from files stay as they are; what `npm init` writes when nobody answers it counts as missing.
 * @throws TributaryError BAD_CONFIG when it says that its modules are CommonJS, and somebody has worked on it
 */
export function mergeManifest(found: Manifest, template: Manifest, { name, force }: MergeOptions): MergedManifest {
  const scripts = own(found.scripts, ([, command]) => !isPlaceholder(command));
  const isUntouched = Object.keys(scripts).length === 0;
  assertModules(found, { force: force || isUntouched });
  const wanted = template.scripts ?? {};
  const kept = Object.keys(scripts).filter((one) => !force && one in wanted && scripts[one] !== wanted[one]);
  const installed = new Set([...Object.keys(found.dependencies ?? {}), ...Object.keys(found.devDependencies ?? {})]);
  const missing = (group: Manifest["dependencies"]) => own(group, ([dependency]) => !installed.has(dependency));
  const manifest = {
    ...(isUntouched && template),
    ...found,
    ...(name !== undefined && { name }),
    type: "module",
    scripts: force ? { ...scripts, ...wanted } : { ...wanted, ...scripts },
    dependencies: sorted({ ...found.dependencies, ...missing(template.dependencies) }),
    devDependencies: sorted({ ...found.devDependencies, ...missing(template.devDependencies) }),
  };
  return { manifest, keptScripts: kept };
}

/** What `npm init -y` gives as the test of a package. */
function isPlaceholder(command: string): boolean {
  return command.includes("no test specified");
}

function assertModules({ type }: Manifest, { force }: { readonly force: boolean }): void {
  if (force || type === "module") return;
  throw new TributaryError(
    "BAD_CONFIG",
    `package.json has ${type === undefined ? "no type" : `type "${type}"`}, and definitions are ES modules: ` +
      'set "type": "module", take a folder of its own, or --force to set it',
  );
}

type Texts = Readonly<Record<string, string>>;

function own(texts: Texts | undefined, keep: (entry: [string, string]) => boolean): Record<string, string> {
  return Object.fromEntries(Object.entries(texts ?? {}).filter(keep));
}

function sorted(texts: Texts): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).sort(([a], [b]) => (a < b ? -1 : 1)));
}
