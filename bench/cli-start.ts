import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { performance } from "node:perf_hooks";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { BenchContext } from "./benchmark.ts";
import { type Case, overFloor } from "./report.ts";
import { Samples } from "./samples.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const main = `${root}packages/cli/dist/main.js`;
const repetitionsDefault = 30;

interface Start {
  readonly name: string;
  readonly args: readonly string[];
}

const parser = createRequire(`${root}packages/cli/package.json`).resolve("commander");
const floors: readonly Start[] = [
  { name: "node -e 0", args: ["-e", "0"] },
  {
    name: "node with commander",
    args: ["--input-type=module", "-e", `import ${JSON.stringify(pathToFileURL(parser).href)}`],
  },
];
const starts: readonly Start[] = [
  { name: "tributary --help", args: [main, "--help"] },
  { name: "tributary --version", args: [main, "--version"] },
  { name: "tributary config print", args: [main, "config", "print"] },
];

/** In turn, so that whatever else the machine does falls on all of them alike. */
export async function run({ repetitions = repetitionsDefault, tell, note }: BenchContext): Promise<void> {
  note("compiling the command …");
  await compile();
  const all = [...floors, ...starts].map((start) => ({ start, samples: new Samples() }));
  for (let i = 0; i < repetitions; i++) {
    for (const { start, samples } of all) samples.add(await timeOf(start));
  }
  const cases = all.map(({ start, samples }): Case => {
    return { bench: "cli-start", case: start.name, unit: "ms", summary: samples.summary() };
  });
  const floor = cases[0];
  for (const one of cases) tell(floor === undefined || one === floor ? one : overFloor(one, floor));
}

/** Fails when the sources do not compile: what is measured then would not be they. */
async function compile(): Promise<void> {
  const child = spawn(process.execPath, [`${root}node_modules/typescript/bin/tsc`, "-b", `${root}packages/cli`], {
    stdio: ["ignore", 2, 2],
  });
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error("the command does not compile");
}

async function timeOf({ name, args }: Start): Promise<number> {
  const begun = performance.now();
  const child = spawn(process.execPath, args, { stdio: "ignore" });
  const [code] = await once(child, "exit");
  const ms = performance.now() - begun;
  if (code !== 0) throw new Error(`${name} ended with ${code}`);
  return ms;
}
