import { parseArgs } from "node:util";
import { type Campaign, campaigns } from "./campaign.ts";
import { progressLine } from "./progress.ts";
import { resultTable } from "./result-table.ts";

const usage = "usage: npm run campaign -- NAME [--seed S] [--runs N | --kills N] [--json]";
const examples = `examples:
  npm run campaign -- merge                              a seed of its own, which is printed
  npm run campaign -- merge --seed 7 --runs 100000
  npm run campaign -- store-kills --seed 7 --kills 50
  npm run campaign -- merge --seed 7 --path 12:0:3       a counterexample once more
  npm run --silent campaign -- merge --json              one line of JSON for programs`;
const countMax = 100_000_000;

/** Exit code 2 for a wrong call, 1 for a campaign that fails, 130 when it was interrupted. */
async function main(argv: readonly string[]): Promise<number> {
  const parsed = parse(argv);
  if (typeof parsed === "string") return refuse(parsed);
  const { values, positionals } = parsed;
  if (values.help) return help();
  const [name, ...rest] = positionals;
  const campaign = campaigns.find((one) => one.name === name);
  if (campaign === undefined || rest.length > 0)
    return refuse(name === undefined ? "name a campaign" : `there is no campaign "${positionals.join(" ")}"`);
  const other = campaign.unit === "runs" ? "kills" : "runs";
  if (values[other] !== undefined) return refuse(`campaign ${campaign.name} counts --${campaign.unit}`);
  if (values.path !== undefined && campaign.takesPath !== true)
    return refuse(`campaign ${campaign.name} takes no --path: its --seed shows a failure again`);
  const count = numberOf(values[campaign.unit], { fallback: campaign.countDefault, min: 1, max: countMax });
  const seed = numberOf(values.seed, { fallback: Date.now() % 2 ** 31, min: 0, max: 2 ** 31 - 1 });
  if (count === undefined) return refuse(`--${campaign.unit} must be a whole number from 1 to ${countMax}`);
  if (seed === undefined) return refuse("--seed must be a whole number from 0 to 2^31 - 1");
  return perform(campaign, { seed, count, path: values.path, json: values.json });
}

function parse(argv: readonly string[]) {
  const text = { type: "string" } as const;
  const flag = { type: "boolean", default: false } as const;
  const options = {
    seed: text,
    runs: text,
    kills: text,
    path: text,
    json: flag,
    help: { ...flag, short: "h" },
  } as const;
  try {
    return parseArgs({ args: [...argv], allowPositionals: true, options });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function numberOf(
  text: string | undefined,
  { fallback, min, max }: { readonly fallback: number; readonly min: number; readonly max: number },
): number | undefined {
  const value = text === undefined ? fallback : Number(text);
  return Number.isInteger(value) && value >= min && value <= max ? value : undefined;
}

interface Call {
  readonly seed: number;
  readonly count: number;
  readonly path: string | undefined;
  readonly json: boolean;
}

async function perform(campaign: Campaign, { json, ...call }: Call): Promise<number> {
  const { name, unit, load } = campaign;
  say(`campaign ${name}, seed ${call.seed}, ${call.count} ${unit}`);
  const progress = progressLine({ name, unit, count: call.count });
  const results = json ? undefined : resultTable();
  const tell = results?.add ?? ((line) => void process.stdout.write(`${JSON.stringify(line)}\n`));
  const interrupt = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => interrupt.abort());
  const { run } = await load();
  const failure = await run({ ...call, tell, progress: progress.show, signal: interrupt.signal });
  progress.end();
  process.stdout.write(results?.text() ?? "");
  if (failure !== undefined) say(`${failure.why}\n\nSee it again: npm run campaign -- ${name} ${failure.repeat}`);
  if (failure === undefined && interrupt.signal.aborted) say(`interrupted; seed ${call.seed}`);
  return failure !== undefined ? 1 : interrupt.signal.aborted ? 130 : 0;
}

function help(): number {
  process.stdout.write(`${usage}\n\n${names()}\n\n${examples}\n`);
  return 0;
}

function refuse(why: string): number {
  say(`${why}\n${usage}\n\n${names()}`);
  return 2;
}

function names(): string {
  const width = Math.max(...campaigns.map(({ name }) => name.length));
  return campaigns
    .map(
      ({ name, does, unit, countDefault }) => `  ${name.padEnd(width)}  ${does} (--${unit}, default ${countDefault})`,
    )
    .join("\n");
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

process.exitCode = await main(process.argv.slice(2));
