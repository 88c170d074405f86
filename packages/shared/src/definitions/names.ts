import { nameSchema } from "../contracts/feature.ts";

/** What is wrong with a name and what could be said instead; undefined when it will do. */
export function nameProblem(name: string): string | undefined {
  const parsed = nameSchema.safeParse(name);
  if (parsed.success) return undefined;
  const better = betterName(name);
  const example = better === undefined ? "" : `, for example "${better}"`;
  return `must be letters, digits and _, starting with a lower-case letter, 63 at most; rename it${example}`;
}

/** Tells of every name that will not do: `feature "Bad-Name" must be …`. */
export function checkNames(what: string, names: readonly string[], problem: (why: string) => void): void {
  for (const name of names) {
    const why = nameProblem(name);
    if (why !== undefined) problem(`${what} "${name}" ${why}`);
  }
}

/** Names that are one name where case is not looked at: in SQL, and in the folders of some file systems. */
export function checkTwins(what: string, names: readonly string[], problem: (why: string) => void): void {
  const seen = new Map<string, string>();
  for (const name of names) {
    const other = seen.get(name.toLowerCase());
    if (other !== undefined) problem(`${what} "${name}" and "${other}" are one name in SQL; rename one`);
    seen.set(name.toLowerCase(), name);
  }
}

function betterName(name: string): string | undefined {
  const words = name.replace(/[^a-zA-Z0-9]+/g, "_").replace(/^[_0-9]+|_+$/g, "");
  const better = (words.charAt(0).toLowerCase() + words.slice(1)).slice(0, 63);
  return nameSchema.safeParse(better).success ? better : undefined;
}
