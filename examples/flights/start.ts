import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { asTributaryError, errorTable, TributaryError } from "@tributary/shared/contracts/errors";
import { runLive } from "./live.ts";
import { failureOf, runOnce } from "./once.ts";

const help = `npm start [-- options]: a whole Tributary mesh on this machine, on three million real flights

  --once     run to a defined end, check every window against a recount, print a summary, leave nothing behind
  --json     with --once: the last line is one JSON object
  --kill     with --once: SIGKILL each service once in mid-work
  --keep     go on at the instant where the last start stopped
  --yes      install missing servers without asking
  --help     this text

Examples
  npm start
  npm start -- --once --json
  npm start -- --once --kill
`;

const { values: flags } = parseArgs({
  options: Object.fromEntries(
    ["once", "json", "kill", "keep", "yes", "help"].map((name) => [name, { type: "boolean" as const, default: false }]),
  ),
});
const root = fileURLToPath(new URL("../..", import.meta.url));
const directory = resolve(process.env.TRIBUTARY_DIRECTORY ?? `${root}/.tributary`);
// With --json, standard output is for the object alone.
const say = (line: string): void => void (flags.json ? process.stderr : process.stdout).write(`${line}\n`);

/** One Ctrl-C comes twice: from the terminal and from npm. Signals this close together are one request, ms. */
const sameRequestMs = 1_000;

/** The first request stops in order; a second one at once, and the watchdog ends what is left. */
const stopRequested = new Promise<void>((done) => {
  let firstAtMs: number | undefined;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      firstAtMs ??= performance.now();
      if (performance.now() - firstAtMs > sameRequestMs) process.exit(130);
      done();
    });
  }
});

try {
  if (flags.help) process.stdout.write(help);
  else if (flags.once) await once();
  else await runLive({ directory, keep: Boolean(flags.keep), yes: Boolean(flags.yes), say, stopRequested });
  process.exit(process.exitCode ?? 0);
} catch (error) {
  const { code, message } = asTributaryError(error);
  process.stderr.write(`npm start: ${message}\n  ${code}: ${errorTable[code].fix}\n`);
  if (flags.json) process.stdout.write(`${JSON.stringify(failureOf(error))}\n`);
  process.exit(1);
}

async function once(): Promise<void> {
  const interrupted = stopRequested.then(() => {
    throw new TributaryError("UNAVAILABLE", "interrupted before the end");
  });
  interrupted.catch(() => undefined);
  const summary = await runOnce({ directory, kill: Boolean(flags.kill), yes: Boolean(flags.yes), say, interrupted });
  say(summary.ok ? "ok        every check is exact and nothing is left running" : "FAILED    see the summary");
  process.stdout.write(`${JSON.stringify(summary, null, flags.json ? undefined : 2)}\n`);
  if (!summary.ok) process.exitCode = 1;
}
