import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";

const main = fileURLToPath(new URL("../../bench/main.ts", import.meta.url));

/** Runs `npm run bench -- …` to its end. */
export function bench(...args: string[]) {
  const node = ["--conditions=tributary-source", "--import", import.meta.resolve("tsx"), main, ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, node, { encoding: "utf8" });
  return { status, stdout, stderr };
}

/** What each line with names of its own says of the machine. */
export const ofMachine = process.platform === "linux" ? { stolenShare: expect.any(Number) } : {};

/** Of what `--json` prints. */
export function linesOf<T = Record<string, unknown>>(stdout: string): readonly T[] {
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as T);
}
