import { existsSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/**
 * Arguments for `node` that run an entry file: TypeScript sources through tsx, compiled code as it is. What a source imports of our
 * packages is compiled where this package is. With TRIBUTARY_COMPILED=1 a source runs as what it was compiled to, in less than half
 * the start-up time: for who has just built.
 */
export function nodeArguments(entry: string): readonly string[] {
  if (!entry.endsWith(".ts")) return [entry];
  const compiled = process.env.TRIBUTARY_COMPILED === "1" ? compiledOf(entry) : undefined;
  if (compiled !== undefined) return [compiled];
  const conditions = moduleExtension === ".ts" ? ["--conditions=tributary-source"] : [];
  return [...conditions, "--import", require.resolve("tsx"), entry];
}

function compiledOf(entry: string): string | undefined {
  const compiled = entry.replace(/\/((?:packages|services)\/[^/]+)\/src\/(.*)\.ts$/, "/$1/dist/$2.js");
  return compiled !== entry && existsSync(compiled) ? compiled : undefined;
}

/** `.ts` when this package runs from its sources, `.js` when it is compiled. */
export const moduleExtension = import.meta.url.endsWith(".ts") ? ".ts" : ".js";
