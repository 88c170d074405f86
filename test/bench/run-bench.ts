import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";

const main = fileURLToPath(new URL("../../bench/main.ts", import.meta.url));

const node = ["--conditions=tributary-source", "--import", import.meta.resolve("tsx"), main];

/** Runs `npm run bench -- …` to its end. */
export function bench(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...node, ...args], { encoding: "utf8" });
  return { status, stdout, stderr };
}

/** The same, ended by SIGTERM as soon as it says something. */
export async function interruptedBench(environment: Readonly<Record<string, string>>, ...args: string[]) {
  const child = spawn(process.execPath, [...node, ...args], {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    if (stderr === "") child.kill("SIGTERM");
    stderr += text;
  });
  const [status] = await once(child, "close");
  return { status, stderr };
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
