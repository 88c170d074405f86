import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type ExampleNeed, exampleOf } from "@tributary/cli/command";
import { commandEntries } from "@tributary/cli/command-table";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { featureRepository } from "../first-repository/dev-process.ts";
import { until } from "../support/until.ts";
import { type Call, shellWords } from "./examples/shell-words.ts";
import { type ExampleWorld, readInput, setAside, startExampleWorld } from "./examples/world.ts";
import { type CliResult, runCli } from "./run-cli.ts";

/** Every example of every command's help, as it stands there, against a whole system. */
let world: ExampleWorld;

beforeAll(async () => {
  world = await startExampleWorld();
  const apply = await world.host.run({ argv: ["apply", "features.ts"] });
  if (apply.code !== 0) throw new Error(apply.stderr);
  const isHealthy = async () => (await world.host.run({ argv: ["doctor", "--quiet"] })).code === 0;
  await until(isHealthy, { what: "the doctor finds nothing to fail" });
});
afterAll(() => world?.stop());
beforeEach(() => world.mesh.printLogsOnFailure());

type Stage = (call: Call) => Promise<CliResult>;

const plain: Stage = ({ argv, inputFile }) => world.host.run({ argv, input: readInput(world.folder, inputFile) });

/** How what an example needs is brought about; a need without a stage does not compile. */
const stages: Readonly<Record<ExampleNeed, Stage>> = {
  "dead letters": async (call) => {
    await setAside(world.admin, 13);
    return plain(call);
  },
  interrupt: ({ argv }) => world.host.run({ argv, onOutput: () => world.host.interrupt() }),
  traffic: async ({ argv }) => {
    let ended = false;
    const result = world.host.run({ argv }).finally(() => {
      ended = true;
    });
    while (!ended) await world.publishEvent();
    return result;
  },
  "empty folder": ({ argv }) => runCli(argv, { directory: emptyFolder() }),
  "no servers": ({ argv }) =>
    runCli(argv, {
      directory: featureRepository(emptyFolder()),
      onStart: (child) => child.stdout?.once("data", () => child.kill("SIGINT")),
    }),
};

let folders = 0;
function emptyFolder(): string {
  const folder = join(world.folder, `folder-${folders++}`);
  mkdirSync(folder);
  return folder;
}

const entries = commandEntries().filter(({ spec }) => !spec.hidden);
// The clock goes last: the others read the time of features.
const calls = [
  ...entries.filter(({ path }) => path[0] !== "clock"),
  ...entries.filter(({ path }) => path[0] === "clock"),
]
  .flatMap(({ spec }) => spec.examples)
  .map(exampleOf);

describe("the help's examples", () => {
  it.each(entries.map(({ path, spec }) => [path.join(" "), spec] as const))(
    "of %s begin with its name",
    (name, spec) => {
      expect(spec.examples.length).toBeGreaterThan(0);
      for (const { line } of spec.examples.map(exampleOf)) expect(`${line} `).toMatch(new RegExp(`^${name} `));
    },
  );

  it.each(calls.map(({ line, needs }) => [line, needs] as const))("tributary %s", async (line, needs) => {
    const call = shellWords(line);
    const { code, stdout, stderr } = await (needs === undefined ? plain : stages[needs])(call);
    expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
    if (call.argv.includes("--json")) for (const text of stdout.trim().split("\n").filter(Boolean)) JSON.parse(text);
    else expect(stdout + stderr).not.toBe("");
  });
});
