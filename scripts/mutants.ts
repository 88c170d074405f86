import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type Mutant, mutantsIn, problemOf } from "./mutant.ts";
import { copyWorkingTree } from "./mutant-copy.ts";
import { runTestFiles, type TestRun } from "./mutant-tests.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const usage = `usage: npm run mutants -- [NAME…] [--json] [--list]

Breaks one promise after the other in a copy of the working tree and runs the tests that must notice.

examples:
  npm run mutants
  npm run mutants -- no-tie-break check-then-set
  npm run --silent mutants -- --json`;

/** Exit code 2 for a wrong call, 1 when a mutant survives or cannot be tried. */
async function main(argv: readonly string[]): Promise<number> {
  const flag = { type: "boolean", default: false } as const;
  const options = { json: flag, list: flag, help: { ...flag, short: "h" } } as const;
  let parsed: ReturnType<typeof parse>;
  const parse = () => parseArgs({ args: [...argv], allowPositionals: true, options });
  try {
    parsed = parse();
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
  const { values, positionals } = parsed;
  if (values.help) return print(usage);
  const all = mutantsIn(root);
  if (values.list) return print(all.map(({ name, breaks }) => `${name.padEnd(24)}${breaks}`).join("\n"));
  const unknown = positionals.find((name) => !all.some((mutant) => mutant.name === name));
  if (unknown !== undefined)
    return refuse(`there is no mutant "${unknown}"; there are ${all.map((one) => one.name).join(", ")}`);
  const chosen = positionals.length === 0 ? all : all.filter(({ name }) => positionals.includes(name));
  const problems = chosen.flatMap((mutant) => problemOf(root, mutant) ?? []);
  if (problems.length > 0) return fail(problems.join("\n"));
  return tryAll(chosen, values.json);
}

async function tryAll(mutants: readonly Mutant[], json: boolean): Promise<number> {
  const copy = copyWorkingTree(root);
  try {
    const tests = [...new Set(mutants.flatMap((mutant) => mutant.tests))];
    say(`${mutants.length} mutants; first ${tests.length} test files without any`);
    const unbroken = await runTestFiles(copy.path, tests);
    if (unbroken.kind !== "passed") return fail(`the tests fail without a mutant: ${whatOf(unbroken)}`);
    let survivors = 0;
    for (const mutant of mutants) {
      const run = await tryMutant(copy.path, mutant);
      if (run.kind !== "failed") survivors += 1;
      report(mutant, run, json);
    }
    return survivors === 0
      ? 0
      : fail(
          `${survivors} of ${mutants.length} mutants survive: a promise can be broken unnoticed; write the test that fails`,
        );
  } finally {
    copy.remove();
  }
}

async function tryMutant(copy: string, mutant: Mutant): Promise<TestRun> {
  const patch = (...more: string[]) => execFileSync("git", ["apply", ...more, mutant.file], { cwd: copy });
  patch();
  try {
    return await runTestFiles(copy, mutant.tests);
  } finally {
    patch("--reverse");
  }
}

function report({ name }: Mutant, run: TestRun, json: boolean): void {
  const killedBy = run.kind === "failed" ? run.test : null;
  const { seconds } = run;
  if (json) print(JSON.stringify({ mutant: name, killedBy, seconds }));
  else print(`${name.padEnd(24)}${String(seconds).padStart(5)} s  ${killedBy ?? `SURVIVES: ${whatOf(run)}`}`);
}

function whatOf(run: TestRun): string {
  switch (run.kind) {
    case "passed":
      return "every test passes";
    case "failed":
      return run.test;
    case "broken":
      return `no test ran to a failure: ${run.why}`;
    default:
      return run satisfies never;
  }
}

function refuse(why: string): number {
  say(`${why}\n${usage}`);
  return 2;
}

function fail(why: string): number {
  say(why);
  return 1;
}

function print(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

process.exitCode = await main(process.argv.slice(2));
