import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { until } from "../support/until.ts";

const main = fileURLToPath(new URL("../../bench/main.ts", import.meta.url));

const node = ["--conditions=tributary-source", "--import", import.meta.resolve("tsx"), main];

/** Runs `npm run bench -- …` to its end. */
export function bench(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...node, ...args], { encoding: "utf8" });
  return { status, stdout, stderr };
}

/** The same, ended by SIGTERM once it has made its folder in `folder`: from then on there is something to be stopped. */
export async function interruptedBench(folder: string, ...args: string[]) {
  const child = spawn(process.execPath, [...node, ...args], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const closed = once(child, "close");
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  await until(async () => (await benchFolders(folder)).length > 0);
  child.kill("SIGTERM");
  const [status] = await closed;
  return { status, stderr, left: await benchFolders(folder) };
}

async function benchFolders(folder: string): Promise<readonly string[]> {
  return (await readdir(folder)).filter((name) => name.startsWith("tributary-bench-"));
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
