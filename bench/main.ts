import { parseArgs } from "node:util";
import { type Benchmark, type BenchmarkModule, benchmarks } from "./benchmark.ts";
import { interruptedCode } from "./interruption.ts";
import { Refusal } from "./refusal.ts";
import { jsonReporter, type Result, tableReporter, withStolen } from "./report.ts";
import { stolenTime } from "./stolen-time.ts";

const usage =
  "usage: npm run bench -- NAME [--json] [--quick] [--cases A,B] [--entities N] [--repetitions N] [--profile FOLDER]";

/** Exit code 2 for a wrong call, 1 for a benchmark that fails, 130 for one that was interrupted. */
async function main(argv: readonly string[]): Promise<number> {
  try {
    await call(parse(argv));
    return 0;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    say(error.message);
    return error.exitCode;
  }
}

async function call({ values, positionals }: ReturnType<typeof parse>): Promise<void> {
  if (values.help || values.list) return list();
  const benchmark = named(positionals);
  const counts = { repetitions: countOf(values, "repetitions"), entities: countOf(values, "entities") };
  const loaded = await benchmark.load();
  const cases = casesOf(values.cases, benchmark, loaded);
  const write = (text: string) => void process.stdout.write(text);
  const reporter = values.json ? jsonReporter(write) : tableReporter(write);
  const { quick, profile } = values;
  const stolenShare = stolenTime();
  const tell = (one: Result) => reporter.tell(withStolen(one, stolenShare()));
  await loaded.run({ ...counts, quick, cases, profile, tell, note: say });
  reporter.end();
}

function parse(argv: readonly string[]) {
  const flag = { type: "boolean", default: false } as const;
  const text = { type: "string" } as const;
  const flags = { json: flag, list: flag, quick: flag, help: { ...flag, short: "h" } } as const;
  const options = { ...flags, cases: text, entities: text, repetitions: text, profile: text } as const;
  try {
    return parseArgs({ args: [...argv], allowPositionals: true, options });
  } catch (error) {
    throw wrongCall(`${error instanceof Error ? error.message : error}\n${usage}`);
  }
}

function named(positionals: readonly string[]): Benchmark {
  if (positionals.length === 0) throw wrongCall(`name a benchmark\n${usage}\n\n${names()}`);
  const asked = positionals.join(" ");
  const found = benchmarks.find(({ name }) => name === asked);
  if (found !== undefined) return found;
  throw wrongCall(`there is no benchmark "${asked}"; there are ${benchmarks.map(({ name }) => name).join(", ")}`);
}

type Values = ReturnType<typeof parse>["values"];

function countOf(values: Values, option: "repetitions" | "entities"): number | undefined {
  const text = values[option];
  if (text === undefined || /^[1-9]\d{0,8}$/.test(text)) return text === undefined ? undefined : Number(text);
  throw wrongCall(`--${option} must be a whole number above 0`);
}

function casesOf(
  text: string | undefined,
  { name }: Benchmark,
  { caseNames: known = [] }: BenchmarkModule,
): readonly string[] | undefined {
  const cases = text?.split(",");
  const unknown = cases?.find((one) => !known.includes(one));
  if (unknown === undefined) return cases;
  const why = known.length === 0 ? `${name} has no cases to choose from` : `there are ${known.join(", ")}`;
  throw wrongCall(`${name}: there is no case "${unknown}"; ${why}`);
}

function list(): void {
  process.stdout.write(`${usage}\n\n${names()}\n`);
}

function wrongCall(why: string): Refusal {
  return new Refusal(why, 2);
}

function names(): string {
  const width = Math.max(...benchmarks.map(({ name }) => name.length));
  return benchmarks.map(({ name, does }) => `  ${name.padEnd(width)}  ${does}`).join("\n");
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

const code = await main(process.argv.slice(2));
// Work that was interrupted may wait for what is gone now.
if (code === interruptedCode) process.exit(code);
process.exitCode = code;
