import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** Arguments for `node` that run an entry file: TypeScript sources through tsx, compiled code as it is. */
export function nodeArguments(entry: string): readonly string[] {
  if (!entry.endsWith(".ts")) return [entry];
  return ["--conditions=tributary-source", "--import", require.resolve("tsx"), entry];
}

/** `.ts` when this package runs from its sources, `.js` when it is compiled. */
export const moduleExtension = import.meta.url.endsWith(".ts") ? ".ts" : ".js";
