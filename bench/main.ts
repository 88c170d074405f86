import { parseArgs } from "node:util";
import { benchmarks } from "./benchmark.ts";
import { jsonReporter, tableReporter } from "./report.ts";

const usage =
  "usage: npm run bench -- NAME [--json] [--quick] [--cases A,B] [--entities N] [--repetitions N] [--profile FOLDER]";

/** Exit code 2 for a wrong call, 1 for a benchmark that fails. */
async function main(argv: readonly string[]): Promise<number> {
  const parsed = parse(argv);
  if (typeof parsed === "string") return refuse(parsed);
  const { values, positionals } = parsed;
  if (values.help || values.list) return list();
  const [name, ...rest] = positionals;
  const found = benchmarks.find((one) => one.name === name);
  if (found === undefined || rest.length > 0) {
    return refuse(name === undefined ? "name a benchmark" : `there is no benchmark "${positionals.join(" ")}"`);
  }
  const counts = { repetitions: countOf(values.repetitions), entities: countOf(values.entities) };
  const wrong = Object.entries(counts).find(([, count]) => Number.isNaN(count));
  if (wrong !== undefined) return refuse(`--${wrong[0]} must be a whole number above 0`);
  const write = (text: string) => void process.stdout.write(text);
  const reporter = values.json ? jsonReporter(write) : tableReporter(write);
  const { run } = await found.load();
  const { quick, profile } = values;
  const cases = values.cases?.split(",");
  await run({ ...counts, quick, cases, profile, tell: reporter.tell, note: say });
  reporter.end();
  return 0;
}

function parse(argv: readonly string[]) {
  const flag = { type: "boolean", default: false } as const;
  const text = { type: "string" } as const;
  const flags = { json: flag, list: flag, quick: flag, help: { ...flag, short: "h" } } as const;
  const options = { ...flags, cases: text, entities: text, repetitions: text, profile: text } as const;
  try {
    return parseArgs({ args: [...argv], allowPositionals: true, options });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** NaN for what is no count. */
function countOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  return /^[1-9]\d{0,8}$/.test(text) ? Number(text) : Number.NaN;
}

function list(): number {
  process.stdout.write(`${usage}\n\n${names()}\n`);
  return 0;
}

function refuse(why: string): number {
  say(`${why}\n${usage}\n\n${names()}`);
  return 2;
}

function names(): string {
  const width = Math.max(...benchmarks.map(({ name }) => name.length));
  return benchmarks.map(({ name, does }) => `  ${name.padEnd(width)}  ${does}`).join("\n");
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

process.exitCode = await main(process.argv.slice(2));
