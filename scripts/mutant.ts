import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";

/** A patch that breaks one promise, and the tests that must notice: its head has a line `Breaks:` and lines `Killed by:`. */
export interface Mutant {
  readonly name: string;
  readonly file: string;
  readonly breaks: string;
  readonly tests: readonly string[];
}

export const mutantsFolder = "test/mutants";

export function mutantsIn(root: string): Mutant[] {
  const files = readdirSync(join(root, mutantsFolder)).filter((file) => file.endsWith(".patch"));
  return files.sort().map((file) => readMutant(root, join(mutantsFolder, file)));
}

function readMutant(root: string, file: string): Mutant {
  const text = readFileSync(join(root, file), "utf8");
  const valuesOf = (name: string) =>
    [...text.matchAll(new RegExp(`^${name}: (.+)$`, "gm"))].map((match) => match[1] as string);
  return { name: basename(file, ".patch"), file, breaks: valuesOf("Breaks").join(" "), tests: valuesOf("Killed by") };
}

/** What is wrong with a mutant itself, and what to do about it. */
export function problemOf(root: string, { file, breaks, tests }: Mutant): string | undefined {
  if (breaks === "" || tests.length === 0)
    return `${file} needs a line "Breaks: …" and a line "Killed by: FILE" at its head`;
  const missing = tests.find((test) => !existsSync(join(root, test)));
  if (missing !== undefined)
    return `${file} names ${missing}, which does not exist: name the test that watches over this now`;
  try {
    execFileSync("git", ["apply", "--check", file], { cwd: root, stdio: "pipe" });
    return undefined;
  } catch {
    return `${file} does not apply any more: break the same promise in the code as it is now, and write down the difference with one line of context (diff -U1)`;
  }
}
